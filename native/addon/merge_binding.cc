// mergeImages of src/native/addon.ts.
#include <memory>
#include <utility>

#include "addon/bridge.h"
#include "pack/merge_images.h"

namespace shoal::addon {
namespace {

std::vector<uint32_t> ToNumbers(const Napi::Value& value) {
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != napi_uint32_array) {
    throw Napi::TypeError::New(value.Env(), "expected a Uint32Array");
  }
  auto array = value.As<Napi::Uint32Array>();
  return std::vector<uint32_t>(array.Data(), array.Data() + array.ElementLength());
}

// mergeImages(parts, removed, keepsVolumes, progress)
Napi::Value MergeJob(const Napi::CallbackInfo& info) {
  auto request = std::make_shared<MergeRequest>();
  auto parts = info[0].As<Napi::Array>();
  for (uint32_t i = 0; i < parts.Length(); i++) {
    auto part = parts.Get(i).As<Napi::Object>();
    request->parts.push_back(ToBytes(part.Get("index")));
    request->volumes.push_back(ToNumbers(part.Get("volumes")));
  }
  request->removed = ToBytesList(info[1]);
  request->keeps_volumes = info[2].ToBoolean();
  Progress* progress = ToProgress(info[3]);
  auto merged = std::make_shared<Merged>();
  return RunJob(
      info.Env(), {info[3]}, [request, progress, merged] { return MergeImages(*request, progress, merged.get()); },
      [merged](Napi::Env env) -> Napi::Value {
        Napi::Object result = Napi::Object::New(env);
        result.Set("entries", static_cast<double>(merged->catalogue.size()));
        result.Set("bytes", static_cast<double>(merged->bytes));
        result.Set("volumes", ToColumn<Napi::Uint32Array>(env, merged->volumes));
        Napi::Array missing = Napi::Array::New(env, merged->missing.size());
        for (uint32_t i = 0; i < merged->missing.size(); i++) missing.Set(i, ToBuffer(env, merged->missing[i]));
        result.Set("missing", missing);
        result.Set("catalogue", WrapCatalogue(env, std::make_shared<Catalogue>(std::move(merged->catalogue))));
        return result;
      });
}

}  // namespace

void ExportMerge(Napi::Env env, Napi::Object exports) {
  exports.Set("mergeImages", Napi::Function::New(env, MergeJob, "mergeImages"));
}

}  // namespace shoal::addon
