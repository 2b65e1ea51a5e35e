// crc32c, and the C++ reader's answers as plain values (NativeIndex in src/native/addon.ts).
#include "addon/bridge.h"
#include "core/crc32c.h"
#include "core/index_view.h"

namespace shoal::addon {
namespace {

void ThrowIfError(Napi::Env env, const Status& status) {
  if (!status.ok()) throw ToError(env, status);
}

uint32_t ToUint32(const Napi::Value& value) {
  if (!value.IsNumber()) throw Napi::TypeError::New(value.Env(), "expected a number");
  return value.As<Napi::Number>().Uint32Value();
}

Napi::Value Checksum(const Napi::CallbackInfo& info) {
  if (!info[0].IsTypedArray() || info[0].As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array) {
    throw Napi::TypeError::New(info.Env(), "expected a Uint8Array");
  }
  auto bytes = info[0].As<Napi::Uint8Array>();
  const uint32_t seed = info[1].IsUndefined() ? 0 : ToUint32(info[1]);
  return Napi::Number::New(info.Env(), Crc32c(bytes.Data(), bytes.ByteLength(), seed));
}

class NativeIndex : public Napi::ObjectWrap<NativeIndex> {
 public:
  static Napi::Function Define(Napi::Env env) {
    return DefineClass(env, "NativeIndex",
                       {
                           InstanceAccessor<&NativeIndex::Entries>("entries"),
                           InstanceMethod<&NativeIndex::Lookup>("lookup"),
                           InstanceMethod<&NativeIndex::Name>("name"),
                           InstanceMethod<&NativeIndex::Path>("path"),
                           InstanceMethod<&NativeIndex::Stat>("stat"),
                           InstanceMethod<&NativeIndex::LinkTarget>("linkTarget"),
                           InstanceMethod<&NativeIndex::Extents>("extents"),
                           InstanceMethod<&NativeIndex::Xattrs>("xattrs"),
                       });
  }

  explicit NativeIndex(const Napi::CallbackInfo& info) : Napi::ObjectWrap<NativeIndex>(info) {
    ThrowIfError(info.Env(), IndexView::Open(ToBytes(info[0]), &view_));
  }

 private:
  Napi::Value Entries(const Napi::CallbackInfo& info) { return Napi::Number::New(info.Env(), view_->entry_count()); }

  Napi::Value Lookup(const Napi::CallbackInfo& info) {
    Entry directory;
    ThrowIfError(info.Env(), view_->Get(ToUint32(info[0]), &directory));
    uint32_t found;
    ThrowIfError(info.Env(), view_->Lookup(directory, ToBytes(info[1]), &found));
    return found == IndexView::kNone ? info.Env().Undefined() : Napi::Number::New(info.Env(), found);
  }

  Napi::Value Name(const Napi::CallbackInfo& info) {
    std::string_view name;
    ThrowIfError(info.Env(), view_->Name(ToUint32(info[0]), &name));
    return ToBuffer(info.Env(), name);
  }

  Napi::Value Path(const Napi::CallbackInfo& info) {
    std::string path;
    ThrowIfError(info.Env(), view_->Path(ToUint32(info[0]), &path));
    return ToBuffer(info.Env(), path);
  }

  Napi::Value Stat(const Napi::CallbackInfo& info) {
    Entry entry;
    ThrowIfError(info.Env(), view_->Get(ToUint32(info[0]), &entry));
    Napi::Object stat = Napi::Object::New(info.Env());
    stat.Set("alias", entry.alias);
    stat.Set("target", entry.target);
    stat.Set("mode", entry.mode);
    stat.Set("uid", entry.uid);
    stat.Set("gid", entry.gid);
    stat.Set("nlink", entry.nlink);
    stat.Set("size", static_cast<double>(entry.size));
    stat.Set("seconds", static_cast<double>(entry.seconds));
    stat.Set("nanoseconds", entry.nanoseconds);
    stat.Set("firstChild", entry.first_child);
    stat.Set("childCount", entry.child_count);
    return stat;
  }

  Napi::Value LinkTarget(const Napi::CallbackInfo& info) {
    const Entry link = Resolved(info);
    std::string_view target;
    ThrowIfError(info.Env(), view_->LinkTarget(link, &target));
    return ToBuffer(info.Env(), target);
  }

  Napi::Value Extents(const Napi::CallbackInfo& info) {
    const Entry file = Resolved(info);
    std::vector<Extent> extents;
    ThrowIfError(info.Env(), view_->Extents(file, &extents));
    Napi::Array array = Napi::Array::New(info.Env(), extents.size());
    for (uint32_t i = 0; i < extents.size(); i++) {
      Napi::Object object = Napi::Object::New(info.Env());
      object.Set("fileOffset", static_cast<double>(extents[i].file_offset));
      object.Set("length", static_cast<double>(extents[i].length));
      object.Set("offset", static_cast<double>(extents[i].offset));
      object.Set("volume", extents[i].volume);
      array.Set(i, object);
    }
    return array;
  }

  Napi::Value Xattrs(const Napi::CallbackInfo& info) {
    const Entry entry = Resolved(info);
    std::vector<Xattr> xattrs;
    ThrowIfError(info.Env(), view_->Xattrs(entry.xattrs, &xattrs));
    Napi::Array array = Napi::Array::New(info.Env(), xattrs.size());
    for (uint32_t i = 0; i < xattrs.size(); i++) {
      Napi::Object object = Napi::Object::New(info.Env());
      object.Set("name", ToBuffer(info.Env(), xattrs[i].name));
      object.Set("value", ToBuffer(info.Env(), xattrs[i].value));
      array.Set(i, object);
    }
    return array;
  }

  Entry Resolved(const Napi::CallbackInfo& info) {
    Entry entry;
    ThrowIfError(info.Env(), view_->Resolve(ToUint32(info[0]), &entry));
    return entry;
  }

  std::unique_ptr<IndexView> view_;
};

}  // namespace

void ExportIndex(Napi::Env env, Napi::Object exports) {
  exports.Set("crc32c", Napi::Function::New(env, Checksum, "crc32c"));
  // The class belongs to this environment: each worker thread that loads the addon has its own.
  auto constructor = std::make_shared<Napi::FunctionReference>(Napi::Persistent(NativeIndex::Define(env)));
  exports.Set(
      "openIndex",
      Napi::Function::New(
          env, [constructor](const Napi::CallbackInfo& info) { return constructor->New({info[0]}); }, "openIndex"));
}

}  // namespace shoal::addon
