// walk, loadPlan, keepPart and leaveOut of src/native/addon.ts.
#include "addon/bridge.h"
#include "addon/walked_value.h"
#include "pack/leave_out.h"
#include "pack/part.h"
#include "pack/saved_plan.h"
#include "pack/walk.h"

namespace shoal::addon {
namespace {

WalkOptions ToWalkOptions(const Napi::Object& given) {
  WalkOptions options;
  options.sources = ToBytesList(given.Get("sources"));
  options.jobs = given.Get("jobs").As<Napi::Number>();
  options.exclude = ToBytesList(given.Get("exclude"));
  if (!given.Get("files").IsUndefined()) options.files = ToBytes(given.Get("files"));
  if (given.Get("nullSeparated").ToBoolean()) options.files_separator = '\0';
  options.one_file_system = given.Get("oneFileSystem").ToBoolean();
  options.skip_unreadable = given.Get("skipUnreadable").ToBoolean();
  options.tests_access = given.Get("testsAccess").ToBoolean();
  options.measures_space = given.Get("measuresSpace").ToBoolean();
  return options;
}

// walk(options, progress)
Napi::Value WalkJob(const Napi::CallbackInfo& info) {
  auto options = std::make_shared<WalkOptions>(ToWalkOptions(info[0].As<Napi::Object>()));
  Progress* progress = ToProgress(info[1]);
  auto walked = std::make_shared<Walked>();
  return RunJob(
      info.Env(), {info[1]}, [=] { return Walk(*options, progress, walked.get()); },
      [=](Napi::Env env) -> Napi::Value {
        Napi::Object result = ToWalked(env, walked->catalogue);
        result.Set("excluded", static_cast<double>(walked->excluded));
        result.Set("skipped", ToProblems(env, walked->skipped));
        result.Set("notices", ToProblems(env, walked->notices));
        result.Set("unreadable", ToProblems(env, walked->unreadable));
        return result;
      });
}

// loadPlan(path)
Napi::Value LoadPlanJob(const Napi::CallbackInfo& info) {
  const std::string path = ToBytes(info[0]);
  auto request = std::make_shared<std::string>();
  auto catalogue = std::make_shared<std::shared_ptr<PackCatalogue>>();
  return RunJob(
      info.Env(), {}, [=] { return LoadPlan(path, request.get(), catalogue.get()); },
      [=](Napi::Env env) -> Napi::Value {
        Napi::Object result = ToWalked(env, *catalogue);
        result.Set("request", ToBuffer(env, *request));
        return result;
      });
}

// keepPart(catalogue, part, count)
Napi::Value KeepPartJob(const Napi::CallbackInfo& info) {
  auto catalogue = ToOpenCatalogue(info[0]);
  const uint32_t part = info[1].As<Napi::Number>();
  const uint32_t count = info[2].As<Napi::Number>();
  return RunJob(
      info.Env(), {},
      [=] {
        KeepPart(catalogue.get(), part, count);
        return Status();
      },
      [=](Napi::Env env) -> Napi::Value { return ToWalked(env, catalogue); });
}

// leaveOut(catalogue, files)
Napi::Value LeaveOutJob(const Napi::CallbackInfo& info) {
  auto catalogue = ToOpenCatalogue(info[0]);
  if (!info[1].IsTypedArray()) throw Napi::TypeError::New(info.Env(), "expected a Uint32Array");
  auto given = info[1].As<Napi::Uint32Array>();
  std::vector<uint32_t> files(given.Data(), given.Data() + given.ElementLength());
  auto others = std::make_shared<std::vector<Problem>>();
  return RunJob(
      info.Env(), {},
      [=] {
        LeaveOut(catalogue.get(), files, others.get());
        return Status();
      },
      [=](Napi::Env env) -> Napi::Value {
        Napi::Object result = ToWalked(env, catalogue);
        result.Set("others", ToProblems(env, *others));
        return result;
      });
}

}  // namespace

void ExportWalk(Napi::Env env, Napi::Object exports) {
  exports.Set("walk", Napi::Function::New(env, WalkJob, "walk"));
  exports.Set("loadPlan", Napi::Function::New(env, LoadPlanJob, "loadPlan"));
  exports.Set("keepPart", Napi::Function::New(env, KeepPartJob, "keepPart"));
  exports.Set("leaveOut", Napi::Function::New(env, LeaveOutJob, "leaveOut"));
}

}  // namespace shoal::addon
