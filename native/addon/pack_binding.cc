// walk, writeVolume, finishVolume and catalogueColumns of src/native/addon.ts.
#include "addon/bridge.h"
#include "addon/pack_catalogue_value.h"
#include "core/format.h"
#include "core/run_threads.h"
#include "pack/plan.h"
#include "pack/volume_writer.h"
#include "pack/walk.h"

namespace shoal::addon {
namespace {

Napi::Value WalkJob(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  std::vector<std::string> sources = ToBytesList(info[0]);
  const unsigned jobs = ThreadCount(info[1].As<Napi::Number>());
  Progress* progress = ToProgress(info[2]);
  auto walked = std::make_shared<Walked>();
  return RunJob(
      env, {info[2]},
      [=]() -> Status {
        SHOAL_RETURN_IF_ERROR(Walk(sources, jobs, progress, walked.get()));
        return MakePlan(walked->catalogue.get(), jobs);
      },
      [=](Napi::Env in) -> Napi::Value {
        Napi::Object result = Napi::Object::New(in);
        result.Set("catalogue", WrapCatalogue(in, walked->catalogue));
        result.Set("entries", static_cast<double>(walked->catalogue->size()));
        result.Set("bytes", static_cast<double>(walked->catalogue->content_bytes));
        result.Set("volumeLength", static_cast<double>(walked->catalogue->plan.volume_length));
        result.Set("skipped", ToProblems(in, walked->skipped));
        result.Set("unreadable", ToProblems(in, walked->unreadable));
        return result;
      });
}

Napi::Value WriteVolumeJob(const Napi::CallbackInfo& info) {
  auto catalogue = ToPackCatalogue(info[0]);
  std::string path = ToBytes(info[1]);
  const unsigned jobs = ThreadCount(info[2].As<Napi::Number>());
  Progress* progress = ToProgress(info[3]);
  auto written = std::make_shared<Written>();
  return RunJob(
      info.Env(), {info[3]}, [=] { return WriteVolume(catalogue.get(), path, jobs, progress, written.get()); },
      [=](Napi::Env env) -> Napi::Value {
        Napi::Object result = Napi::Object::New(env);
        result.Set("length", static_cast<double>(written->length));
        result.Set("unreadable", ToProblems(env, written->unreadable));
        result.Set("changed", ToProblems(env, written->changed));
        return result;
      });
}

// finishVolume(catalogue, path, id)
Napi::Value FinishVolumeJob(const Napi::CallbackInfo& info) {
  auto catalogue = ToPackCatalogue(info[0]);
  std::string path = ToBytes(info[1]);
  if (!info[2].IsTypedArray()) throw Napi::TypeError::New(info.Env(), "expected a Uint8Array");
  auto given = info[2].As<Napi::Uint8Array>();
  if (given.ByteLength() != format::kIdLength) throw Napi::TypeError::New(info.Env(), "expected an id of 16 bytes");
  std::vector<uint8_t> id(given.Data(), given.Data() + given.ByteLength());
  auto pieces = std::make_shared<std::vector<uint32_t>>();
  return RunJob(
      info.Env(), {}, [=] { return FinishVolume(catalogue.get(), path, id.data(), pieces.get()); },
      [=](Napi::Env env) -> Napi::Value { return ToColumn<Napi::Uint32Array>(env, *pieces); });
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
  exports.Set("walk", Napi::Function::New(env, WalkJob, "walk"));
  exports.Set("writeVolume", Napi::Function::New(env, WriteVolumeJob, "writeVolume"));
  exports.Set("finishVolume", Napi::Function::New(env, FinishVolumeJob, "finishVolume"));
  exports.Set("catalogueColumns", Napi::Function::New(env, CatalogueColumns, "catalogueColumns"));
}

}  // namespace shoal::addon
