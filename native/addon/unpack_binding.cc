#include <memory>
#include <string>
#include <vector>

#include "addon/bridge.h"
#include "addon/verify_value.h"
#include "core/image.h"
#include "core/run_threads.h"
#include "unpack/compare.h"
#include "unpack/extract.h"
#include "unpack/index_check.h"
#include "unpack/verify.h"

namespace shoal::addon {
namespace {

unsigned ToJobs(const Napi::Value& value) { return value.ToNumber().Uint32Value(); }

// checkIndex(index, jobs, progress)
Napi::Value CheckIndexJob(const Napi::CallbackInfo& info) {
  std::string path = ToBytes(info[0]);
  const unsigned jobs = ThreadCount(ToJobs(info[1]));
  Progress* progress = ToProgress(info[2]);
  auto problems = std::make_shared<std::vector<Problem>>();
  return RunJob(
      info.Env(), {info[2]},
      [path, jobs, progress, problems] {
        std::unique_ptr<IndexView> index;
        SHOAL_RETURN_IF_ERROR(IndexView::Open(path, &index));
        ProblemList list(*index);
        IndexSummary summary;
        SHOAL_RETURN_IF_ERROR(CheckIndex(*index, jobs, *progress, &list, &summary));
        *problems = list.Take();
        return Status();
      },
      [problems](Napi::Env env) -> Napi::Value { return ToProblems(env, *problems); });
}

// verify(index, jobs, progress)
Napi::Value VerifyImage(const Napi::CallbackInfo& info) {
  std::string index = ToBytes(info[0]);
  const unsigned jobs = ToJobs(info[1]);
  Progress* progress = ToProgress(info[2]);
  auto outcome = std::make_shared<VerifyOutcome>();
  return RunJob(
      info.Env(), {info[2]},
      [index, jobs, progress, outcome] {
        std::unique_ptr<Image> image;
        SHOAL_RETURN_IF_ERROR(Image::Open(index, &image));
        return Verify(*image, jobs, progress, outcome.get());
      },
      [outcome](Napi::Env env) -> Napi::Value { return ToVerifyResult(env, *outcome); });
}

// compare(index, directory, jobs, progress)
Napi::Value CompareImage(const Napi::CallbackInfo& info) {
  std::string index = ToBytes(info[0]);
  std::string directory = ToBytes(info[1]);
  const unsigned jobs = ToJobs(info[2]);
  Progress* progress = ToProgress(info[3]);
  auto outcome = std::make_shared<CompareOutcome>();
  return RunJob(
      info.Env(), {info[3]},
      [index, directory, jobs, progress, outcome] {
        std::unique_ptr<Image> image;
        SHOAL_RETURN_IF_ERROR(Image::Open(index, &image));
        return Compare(*image, directory, jobs, progress, outcome.get());
      },
      [outcome](Napi::Env env) -> Napi::Value {
        Napi::Object result = ToVerifyResult(env, outcome->verified);
        result.Set("differences", ToProblems(env, outcome->differences));
        result.Set("ignored", ToProblems(env, outcome->ignored));
        return result;
      });
}

// extract(index, paths, directory, jobs, progress)
Napi::Value ExtractImage(const Napi::CallbackInfo& info) {
  std::string index = ToBytes(info[0]);
  std::vector<std::string> paths = ToBytesList(info[1]);
  std::string directory = ToBytes(info[2]);
  const unsigned jobs = ToJobs(info[3]);
  Progress* progress = ToProgress(info[4]);
  auto outcome = std::make_shared<ExtractOutcome>();
  return RunJob(
      info.Env(), {info[4]},
      [index, paths, directory, jobs, progress, outcome] {
        std::unique_ptr<Image> image;
        SHOAL_RETURN_IF_ERROR(Image::Open(index, &image));
        return Extract(*image, paths, directory, jobs, progress, outcome.get());
      },
      [outcome](Napi::Env env) -> Napi::Value {
        Napi::Object result = Napi::Object::New(env);
        result.Set("entries", static_cast<double>(outcome->entries));
        result.Set("bytes", static_cast<double>(outcome->bytes));
        result.Set("problems", ToProblems(env, outcome->problems));
        return result;
      });
}

}  // namespace

void ExportUnpack(Napi::Env env, Napi::Object exports) {
  exports.Set("checkIndex", Napi::Function::New(env, CheckIndexJob, "checkIndex"));
  exports.Set("verify", Napi::Function::New(env, VerifyImage, "verify"));
  exports.Set("compare", Napi::Function::New(env, CompareImage, "compare"));
  exports.Set("extract", Napi::Function::New(env, ExtractImage, "extract"));
}

}  // namespace shoal::addon
