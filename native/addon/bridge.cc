#include "addon/bridge.h"

#include <stdexcept>

namespace shoal::addon {
namespace {

class Job : public Napi::AsyncWorker {
 public:
  Job(Napi::Env env, std::function<Status()> work, std::function<Napi::Value(Napi::Env)> finish)
      : Napi::AsyncWorker(env, "shoal"),
        deferred_(Napi::Promise::Deferred::New(env)),
        work_(std::move(work)),
        finish_(std::move(finish)) {}

  void Keep(const Napi::Value& value) { kept_.push_back(Napi::Persistent(value.As<Napi::Object>())); }
  Napi::Promise Promise() const { return deferred_.Promise(); }

  void Execute() override {
    try {
      status_ = work_();
    } catch (const std::bad_alloc&) {
      status_ = Status(Code::kIo, "out of memory");
    } catch (const std::exception& error) {
      status_ = Status(Code::kInternal, error.what());
    }
  }

  void OnOK() override {
    Napi::HandleScope scope(Env());
    if (!status_.ok()) {
      deferred_.Reject(ToError(Env(), status_).Value());
      return;
    }
    try {
      deferred_.Resolve(finish_(Env()));
    } catch (const Napi::Error& error) {
      deferred_.Reject(error.Value());
    }
  }

 private:
  Napi::Promise::Deferred deferred_;
  std::function<Status()> work_;
  std::function<Napi::Value(Napi::Env)> finish_;
  std::vector<Napi::ObjectReference> kept_;
  Status status_;
};

constexpr napi_type_tag kCatalogueTag = {0x53484f414c434154, 0x9b1d6c2f40e7a358};

}  // namespace

Napi::Error ToError(Napi::Env env, const Status& status) {
  Napi::Error error = Napi::Error::New(env, status.message());
  Napi::Object fields = error.Value();
  fields.Set("code", CodeName(status.code()));
  if (!status.path().empty()) fields.Set("path", ToBuffer(env, status.path()));
  if (status.offset() >= 0) fields.Set("offset", static_cast<double>(status.offset()));
  if (status.error() != 0) fields.Set("errno", status.error());
  return error;
}

std::string ToBytes(const Napi::Value& buffer) {
  if (!buffer.IsBuffer()) throw Napi::TypeError::New(buffer.Env(), "expected a Buffer");
  auto bytes = buffer.As<Napi::Buffer<char>>();
  return std::string(bytes.Data(), bytes.Length());
}

std::vector<std::string> ToBytesList(const Napi::Value& array) {
  if (!array.IsArray()) throw Napi::TypeError::New(array.Env(), "expected an array of Buffers");
  auto values = array.As<Napi::Array>();
  std::vector<std::string> list;
  for (uint32_t i = 0; i < values.Length(); i++) list.push_back(ToBytes(values.Get(i)));
  return list;
}

Napi::Value ToBuffer(Napi::Env env, std::string_view bytes) {
  return Napi::Buffer<char>::Copy(env, bytes.data(), bytes.size());
}

Napi::Array ToProblems(Napi::Env env, const std::vector<Problem>& problems) {
  Napi::Array array = Napi::Array::New(env, problems.size());
  for (uint32_t i = 0; i < problems.size(); i++) {
    Napi::Object object = Napi::Object::New(env);
    object.Set("code", CodeName(problems[i].code));
    object.Set("path", ToBuffer(env, problems[i].path));
    object.Set("message", problems[i].message);
    array.Set(i, object);
  }
  return array;
}

Napi::Array ToPieces(Napi::Env env, const std::vector<std::vector<uint32_t>>& pieces) {
  Napi::Array array = Napi::Array::New(env, pieces.size());
  for (uint32_t volume = 0; volume < pieces.size(); volume++) {
    array.Set(volume, ToColumn<Napi::Uint32Array>(env, pieces[volume]));
  }
  return array;
}

Progress* ToProgress(const Napi::Value& array) {
  if (!array.IsTypedArray()) throw Napi::TypeError::New(array.Env(), "expected a BigUint64Array");
  auto typed = array.As<Napi::TypedArray>();
  if (typed.TypedArrayType() != napi_biguint64_array || typed.ByteLength() != sizeof(Progress)) {
    throw Napi::TypeError::New(array.Env(), "expected a BigUint64Array of 5");
  }
  return reinterpret_cast<Progress*>(static_cast<uint8_t*>(typed.ArrayBuffer().Data()) + typed.ByteOffset());
}

Napi::Promise RunJob(Napi::Env env, std::vector<Napi::Value> keep, std::function<Status()> work,
                     std::function<Napi::Value(Napi::Env)> finish) {
  auto* job = new Job(env, std::move(work), std::move(finish));  // deletes itself when done
  for (const Napi::Value& value : keep) job->Keep(value);
  Napi::Promise promise = job->Promise();
  job->Queue();
  return promise;
}

Napi::Value WrapCatalogue(Napi::Env env, std::shared_ptr<Catalogue> catalogue) {
  auto* holder = new std::shared_ptr<Catalogue>(std::move(catalogue));
  auto external = Napi::External<std::shared_ptr<Catalogue>>::New(
      env, holder, [](Napi::Env, std::shared_ptr<Catalogue>* p) { delete p; });
  external.TypeTag(&kCatalogueTag);
  return external;
}

std::shared_ptr<Catalogue> UnwrapCatalogue(const Napi::Value& value) {
  if (!value.IsExternal() || !value.As<Napi::External<void>>().CheckTypeTag(&kCatalogueTag)) {
    throw Napi::TypeError::New(value.Env(), "expected a catalogue");
  }
  return *value.As<Napi::External<std::shared_ptr<Catalogue>>>().Data();
}

std::shared_ptr<PackCatalogue> ToPackCatalogue(const Napi::Value& value) {
  auto catalogue = std::dynamic_pointer_cast<PackCatalogue>(UnwrapCatalogue(value));
  if (catalogue == nullptr) throw Napi::TypeError::New(value.Env(), "expected the catalogue of a walk");
  return catalogue;
}

std::shared_ptr<PackCatalogue> ToOpenCatalogue(const Napi::Value& value) {
  auto catalogue = ToPackCatalogue(value);
  if (catalogue->is_closed) {
    throw Napi::Error::New(value.Env(), "expected a catalogue that may change, found one whose columns are being read");
  }
  return catalogue;
}

}  // namespace shoal::addon
