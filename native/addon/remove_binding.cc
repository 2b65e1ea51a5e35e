// compareSources and removeSources of src/native/addon.ts.
#include "addon/bridge.h"
#include "addon/verify_value.h"
#include "core/image.h"
#include "remove/remove_sources.h"
#include "remove/source_comparison.h"

namespace shoal::addon {
namespace {

constexpr napi_type_tag kComparisonTag = {0x5e1f3a96c4d24b07, 0xa1c8e0d9b3f64725};
using ComparisonPointer = std::shared_ptr<SourceComparison>;

Napi::Value WrapComparison(Napi::Env env, ComparisonPointer comparison) {
  auto external = Napi::External<ComparisonPointer>::New(env, new ComparisonPointer(std::move(comparison)),
                                                         [](Napi::Env, ComparisonPointer* p) { delete p; });
  external.TypeTag(&kComparisonTag);
  return external;
}

ComparisonPointer UnwrapComparison(const Napi::Value& value) {
  if (!value.IsExternal() || !value.As<Napi::External<void>>().CheckTypeTag(&kComparisonTag)) {
    throw Napi::TypeError::New(value.Env(), "expected a comparison");
  }
  return *value.As<Napi::External<ComparisonPointer>>().Data();
}

// What is read then comes from storage, as far as it was written there.
Status OpenUncached(const std::string& path, std::unique_ptr<Image>* image) {
  UniqueFd index;
  uint64_t length;
  SHOAL_RETURN_IF_ERROR(OpenRegular(path, Code::kNotImage, &index, &length));
  ForgetPages(index.get(), 0, length);
  SHOAL_RETURN_IF_ERROR(Image::Open(path, image));
  for (size_t row = 0; row < (*image)->volume_count(); row++) {
    ForgetPages((*image)->volume_file(row).fd(), 0, (*image)->volume_info(row).length);
  }
  return Status();
}

// compareSources(catalogue, image, jobs, progress)
Napi::Value CompareSources(const Napi::CallbackInfo& info) {
  auto given = info[1].As<Napi::Object>();
  auto comparison =
      std::make_shared<SourceComparison>(ToPackCatalogue(info[0]), given.Get("isSlice").ToBoolean().Value());
  std::string index = ToBytes(given.Get("index"));
  std::string below = ToBytes(given.Get("below"));
  const unsigned jobs = info[2].ToNumber().Uint32Value();
  Progress* progress = ToProgress(info[3]);
  auto verified = std::make_shared<VerifyOutcome>();
  return RunJob(
      info.Env(), {info[3]},
      [=]() -> Status {
        std::unique_ptr<Image> image;
        SHOAL_RETURN_IF_ERROR(OpenUncached(index, &image));
        return comparison->Run(*image, below, jobs, progress, verified.get());
      },
      [=](Napi::Env env) -> Napi::Value {
        Napi::Object result = ToVerifyResult(env, *verified);
        result.Set("comparison", WrapComparison(env, comparison));
        return result;
      });
}

// removeSources(comparison, jobs, progress)
Napi::Value RemoveSourcesJob(const Napi::CallbackInfo& info) {
  ComparisonPointer comparison = UnwrapComparison(info[0]);
  const unsigned jobs = info[1].ToNumber().Uint32Value();
  Progress* progress = ToProgress(info[2]);
  auto removed = std::make_shared<RemovedSources>();
  return RunJob(
      info.Env(), {info[2]}, [=] { return RemoveSources(comparison.get(), jobs, progress, removed.get()); },
      [=](Napi::Env env) -> Napi::Value {
        Napi::Object result = Napi::Object::New(env);
        result.Set("entries", static_cast<double>(removed->entries));
        result.Set("inodes", static_cast<double>(removed->inodes));
        result.Set("bytes", static_cast<double>(removed->bytes));
        result.Set("kept", ToProblems(env, removed->kept));
        Napi::Array not_empty = Napi::Array::New(env, removed->not_empty.size());
        for (uint32_t i = 0; i < removed->not_empty.size(); i++) not_empty.Set(i, ToBuffer(env, removed->not_empty[i]));
        result.Set("notEmpty", not_empty);
        return result;
      });
}

}  // namespace

void ExportRemove(Napi::Env env, Napi::Object exports) {
  exports.Set("compareSources", Napi::Function::New(env, CompareSources, "compareSources"));
  exports.Set("removeSources", Napi::Function::New(env, RemoveSourcesJob, "removeSources"));
}

}  // namespace shoal::addon
