// savePlan, planSlices and takeSlice of src/native/addon.ts.
#include "addon/bridge.h"
#include "addon/walked_value.h"
#include "core/run_threads.h"
#include "pack/saved_plan.h"
#include "pack/slice.h"

namespace shoal::addon {
namespace {

// savePlan(catalogue, path, request)
Napi::Value SavePlanJob(const Napi::CallbackInfo& info) {
  auto catalogue = ToPackCatalogue(info[0]);
  const std::string path = ToBytes(info[1]);
  const std::string request = ToBytes(info[2]);
  return RunJob(
      info.Env(), {}, [=] { return SavePlan(*catalogue, request, path); },
      [](Napi::Env env) -> Napi::Value { return env.Undefined(); });
}

// planSlices(catalogue, limits, jobs)
Napi::Value PlanSlicesJob(const Napi::CallbackInfo& info) {
  auto catalogue = ToPackCatalogue(info[0]);
  auto given = info[1].As<Napi::Object>();
  auto limit = [&](const char* name) { return static_cast<uint64_t>(given.Get(name).ToNumber().DoubleValue()); };
  const SliceLimits limits{limit("maxExtra"), limit("beside"), limit("volumeSize")};
  const unsigned jobs = ThreadCount(info[2].As<Napi::Number>());
  auto slices = std::make_shared<std::vector<Slice>>();
  return RunJob(
      info.Env(), {}, [=] { return PlanSlices(*catalogue, limits, jobs, slices.get()); },
      [=](Napi::Env env) -> Napi::Value {
        Napi::Array result = Napi::Array::New(env, slices->size());
        for (uint32_t i = 0; i < slices->size(); i++) {
          const Slice& slice = (*slices)[i];
          Napi::Object item = Napi::Object::New(env);
          item.Set("first", static_cast<double>(slice.first));
          item.Set("end", static_cast<double>(slice.end));
          item.Set("extra", static_cast<double>(slice.extra));
          result.Set(i, item);
        }
        return result;
      });
}

// takeSlice(catalogue, slice)
Napi::Value TakeSliceJob(const Napi::CallbackInfo& info) {
  auto catalogue = ToPackCatalogue(info[0]);
  auto given = info[1].As<Napi::Object>();
  Slice slice;
  slice.first = given.Get("first").ToNumber().Uint32Value();
  slice.end = given.Get("end").ToNumber().Uint32Value();
  auto taken = std::make_shared<std::shared_ptr<PackCatalogue>>();
  return RunJob(
      info.Env(), {},
      [=] {
        *taken = TakeSlice(*catalogue, slice);
        return Status();
      },
      [=](Napi::Env env) -> Napi::Value { return ToWalked(env, *taken); });
}

}  // namespace

void ExportSlice(Napi::Env env, Napi::Object exports) {
  exports.Set("savePlan", Napi::Function::New(env, SavePlanJob, "savePlan"));
  exports.Set("planSlices", Napi::Function::New(env, PlanSlicesJob, "planSlices"));
  exports.Set("takeSlice", Napi::Function::New(env, TakeSliceJob, "takeSlice"));
}

}  // namespace shoal::addon
