// findCopies, sampleContent, planVolumes, writeVolumes, finishVolumes and catalogueColumns of src/native/addon.ts.
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
  auto catalogue = ToPackCatalogue(info[0]);
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
  auto catalogue = ToPackCatalogue(info[0]);
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
  auto catalogue = ToPackCatalogue(info[0]);
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

Napi::Value ExtentListsOf(Napi::Env env, const Catalogue& catalogue) {
  std::vector<double> numbers;
  for (const ExtentList& list : catalogue.extent_lists) {
    numbers.insert(numbers.end(), {static_cast<double>(list.entry), static_cast<double>(list.size),
                                   static_cast<double>(list.extents.size())});
    for (const Extent& extent : list.extents) {
      numbers.insert(numbers.end(), {static_cast<double>(extent.file_offset), static_cast<double>(extent.length),
                                     static_cast<double>(extent.offset), static_cast<double>(extent.volume)});
    }
  }
  return ToColumn<Napi::Float64Array>(env, numbers);
}

Napi::Value AttributeRowsOf(Napi::Env env, const Catalogue& catalogue) {
  auto array = Napi::Uint32Array::New(env, catalogue.attribute_rows.size() * 5);
  uint32_t* to = array.Data();
  for (const AttributesRow& row : catalogue.attribute_rows) {
    for (uint32_t value : {row.mode, row.uid, row.gid, row.nlink, row.xattrs}) *to++ = value;
  }
  return array;
}

Napi::Value CatalogueColumns(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  std::shared_ptr<Catalogue> catalogue = UnwrapCatalogue(info[0]);
  const Catalogue& from = *catalogue;
  Napi::Object columns = Napi::Object::New(env);
  columns.Set("names", ToColumn<Napi::Uint8Array>(env, from.names));
  columns.Set("nameLengths", ToColumn<Napi::Uint8Array>(env, from.name_lengths));
  columns.Set("parents", ToColumn<Napi::Uint32Array>(env, from.parents));
  columns.Set("attributes", ToColumn<Napi::Uint32Array>(env, from.attributes));
  columns.Set("seconds", ToColumn<Napi::Float64Array>(env, from.seconds));
  columns.Set("nanoseconds", ToColumn<Napi::Uint32Array>(env, from.nanoseconds));
  columns.Set("sizes", ToColumn<Napi::Float64Array>(env, from.sizes));
  columns.Set("offsets", ToColumn<Napi::Float64Array>(env, from.offsets));
  columns.Set("volumes", ToColumn<Napi::Uint16Array>(env, from.volumes));
  columns.Set("counts", ToColumn<Napi::Uint32Array>(env, from.counts));
  columns.Set("checksums", ToColumn<Napi::Uint32Array>(env, from.checksums));
  columns.Set("attributeRows", AttributeRowsOf(env, from));
  columns.Set("xattrSets", ToColumn<Napi::Uint8Array>(env, from.xattr_sets));
  columns.Set("linkTargets", ToColumn<Napi::Uint8Array>(env, from.link_targets));
  columns.Set("extentLists", ExtentListsOf(env, from));
  columns.Set("chunkChecksums", ToColumn<Napi::Uint32Array>(env, from.chunk_checksums));
  columns.Set("hasChecksums", from.has_checksums);
  return columns;
}

}  // namespace

void ExportPack(Napi::Env env, Napi::Object exports) {
  exports.Set("findCopies", Napi::Function::New(env, FindCopiesJob, "findCopies"));
  exports.Set("sampleContent", Napi::Function::New(env, SampleContentJob, "sampleContent"));
  exports.Set("planVolumes", Napi::Function::New(env, PlanVolumesJob, "planVolumes"));
  exports.Set("writeVolumes", Napi::Function::New(env, WriteVolumesJob, "writeVolumes"));
  exports.Set("finishVolumes", Napi::Function::New(env, FinishVolumesJob, "finishVolumes"));
  exports.Set("catalogueColumns", Napi::Function::New(env, CatalogueColumns, "catalogueColumns"));
}

}  // namespace shoal::addon
