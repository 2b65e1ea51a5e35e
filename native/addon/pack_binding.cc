// findCopies, sampleContent, planVolumes, writeVolumes and finishVolumes of src/native/addon.ts.
#include "addon/bridge.h"
#include "addon/frames_value.h"
#include "addon/volume_paths_value.h"
#include "core/format.h"
#include "core/run_threads.h"
#include "pack/find_copies.h"
#include "pack/finish_volumes.h"
#include "pack/plan.h"
#include "pack/sample_content.h"
#include "pack/volume_writer.h"

namespace shoal::addon {
namespace {

// findCopies(catalogue, jobs, progress)
Napi::Value FindCopiesJob(const Napi::CallbackInfo& info) {
  auto catalogue = ToOpenCatalogue(info[0]);
  const unsigned jobs = info[1].As<Napi::Number>();
  Progress* progress = ToProgress(info[2]);
  return RunJob(
      info.Env(), {info[2]}, [=] { return FindCopies(catalogue.get(), jobs, progress); },
      [](Napi::Env env) -> Napi::Value { return env.Undefined(); });
}

PlanOptions ToPlanOptions(const Napi::Object& from) {
  PlanOptions options;
  options.volume_size = static_cast<uint64_t>(from.Get("volumeSize").ToNumber().DoubleValue());
  options.level = from.Get("level").ToNumber().Int32Value();
  options.samples = from.Get("samples").ToBoolean();
  if (!from.Get("orderFile").IsUndefined()) options.order_file = ToBytes(from.Get("orderFile"));
  if (from.Get("orderNull").ToBoolean()) options.order_end = '\0';
  return options;
}

// sampleContent(catalogue, progress)
Napi::Value SampleContentJob(const Napi::CallbackInfo& info) {
  auto catalogue = ToPackCatalogue(info[0]);
  Progress* progress = ToProgress(info[1]);
  auto pays = std::make_shared<bool>(false);
  return RunJob(
      info.Env(), {info[1]}, [=] { return SampleContent(*catalogue, progress, pays.get()); },
      [=](Napi::Env env) -> Napi::Value { return Napi::Boolean::New(env, *pays); });
}

// planVolumes(catalogue, options, jobs)
Napi::Value PlanVolumesJob(const Napi::CallbackInfo& info) {
  auto catalogue = ToOpenCatalogue(info[0]);
  const PlanOptions options = ToPlanOptions(info[1].As<Napi::Object>());
  const unsigned jobs = ThreadCount(info[2].As<Napi::Number>());
  return RunJob(
      info.Env(), {}, [=] { return MakePlan(catalogue.get(), options, jobs); },
      [=](Napi::Env env) -> Napi::Value {
        const Plan& plan = catalogue->plan;
        Napi::Object result = Napi::Object::New(env);
        std::vector<double> lengths;
        for (const VolumePlan& volume : plan.volumes) lengths.push_back(static_cast<double>(volume.length));
        result.Set("volumeLengths", ToColumn<Napi::Float64Array>(env, lengths));
        result.Set("copiedBytes", static_cast<double>(plan.copied_bytes));
        result.Set("oversized", ToProblems(env, plan.oversized));
        Napi::Array strays = Napi::Array::New(env, plan.strays.first.size());
        for (uint32_t i = 0; i < plan.strays.first.size(); i++) strays.Set(i, ToBuffer(env, plan.strays.first[i]));
        result.Set("strays", strays);
        result.Set("strayCount", static_cast<double>(plan.strays.count));
        return result;
      });
}

std::optional<CheckpointOptions> ToCheckpoints(const Napi::Value& value) {
  if (value.IsUndefined()) return std::nullopt;
  auto from = value.As<Napi::Object>();
  CheckpointOptions options;
  options.plan = ToBytes(from.Get("plan"));
  options.journal = ToBytes(from.Get("journal"));
  options.request = ToBytes(from.Get("request"));
  options.seconds = from.Get("seconds").ToNumber().DoubleValue();
  options.resume = from.Get("resume").ToBoolean();
  return options;
}

// writeVolumes(catalogue, paths, checkpoints, jobs, progress)
Napi::Value WriteVolumesJob(const Napi::CallbackInfo& info) {
  auto catalogue = ToOpenCatalogue(info[0]);
  const std::vector<std::string> paths = ToVolumePaths(*catalogue, info[1]);
  const std::optional<CheckpointOptions> checkpoints = ToCheckpoints(info[2]);
  const unsigned jobs = info[3].As<Napi::Number>();
  Progress* progress = ToProgress(info[4]);
  auto written = std::make_shared<Written>();
  return RunJob(
      info.Env(), {info[4]},
      [=] { return WriteVolumes(catalogue.get(), paths, checkpoints, jobs, progress, written.get()); },
      [=](Napi::Env env) -> Napi::Value {
        Napi::Object result = Napi::Object::New(env);
        result.Set("unreadable", ToProblems(env, written->unreadable));
        result.Set("changed", ToProblems(env, written->changed));
        result.Set("directories", ToProblems(env, written->directories));
        result.Set("failedFiles", ToColumn<Napi::Uint32Array>(env, written->failed_files));
        return result;
      });
}

// finishVolumes(catalogue, paths, id, jobs)
Napi::Value FinishVolumesJob(const Napi::CallbackInfo& info) {
  auto catalogue = ToPackCatalogue(info[0]);
  const std::vector<std::string> paths = ToVolumePaths(*catalogue, info[1]);
  if (!info[2].IsTypedArray()) throw Napi::TypeError::New(info.Env(), "expected a Uint8Array");
  auto given = info[2].As<Napi::Uint8Array>();
  if (given.ByteLength() != format::kIdLength) throw Napi::TypeError::New(info.Env(), "expected an id of 16 bytes");
  std::vector<uint8_t> id(given.Data(), given.Data() + given.ByteLength());
  const unsigned jobs = ThreadCount(info[3].As<Napi::Number>());
  auto pieces = std::make_shared<std::vector<std::vector<uint32_t>>>();
  return RunJob(
      info.Env(), {}, [=] { return FinishVolumes(catalogue.get(), paths, id.data(), jobs, pieces.get()); },
      [=](Napi::Env env) -> Napi::Value {
        Napi::Array volumes = Napi::Array::New(env, pieces->size());
        for (uint32_t i = 0; i < pieces->size(); i++) {
          Napi::Object volume = Napi::Object::New(env);
          volume.Set("pieces", ToColumn<Napi::Uint32Array>(env, (*pieces)[i]));
          const SeekTable* frames = catalogue->sinks[i]->frames();
          if (frames != nullptr) volume.Set("frames", ToFrames(env, *frames));
          volumes.Set(i, volume);
        }
        return volumes;
      });
}

}  // namespace

void ExportPack(Napi::Env env, Napi::Object exports) {
  exports.Set("findCopies", Napi::Function::New(env, FindCopiesJob, "findCopies"));
  exports.Set("sampleContent", Napi::Function::New(env, SampleContentJob, "sampleContent"));
  exports.Set("planVolumes", Napi::Function::New(env, PlanVolumesJob, "planVolumes"));
  exports.Set("writeVolumes", Napi::Function::New(env, WriteVolumesJob, "writeVolumes"));
  exports.Set("finishVolumes", Napi::Function::New(env, FinishVolumesJob, "finishVolumes"));
}

}  // namespace shoal::addon
