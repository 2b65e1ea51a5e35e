// scanArchive and writeArchive of src/native/addon.ts.
#include <memory>
#include <utility>

#include "addon/bridge.h"
#include "addon/volume_paths_value.h"
#include "addon/walked_value.h"
#include "core/run_threads.h"
#include "pack/archive_writer.h"
#include "pack/tar_scanner.h"

namespace shoal::addon {
namespace {

ArchiveSource ToArchiveSource(const Napi::Value& value) {
  auto object = value.As<Napi::Object>();
  return {ToBytes(object.Get("path")), ToBytes(object.Get("shown")), ToBytesList(object.Get("command")),
          object.Get("isOwn").ToBoolean()};
}

// scanArchive(source, progress)
Napi::Value ScanArchiveJob(const Napi::CallbackInfo& info) {
  const ArchiveSource source = ToArchiveSource(info[0]);
  Progress* progress = ToProgress(info[1]);
  auto skipped = std::make_shared<std::vector<Problem>>();
  auto catalogue = std::make_shared<ArchiveCatalogue>();
  return RunJob(
      info.Env(), {info[1]},
      [=]() -> Status {
        std::unique_ptr<ArchiveStream> stream;
        SHOAL_RETURN_IF_ERROR(ArchiveStream::Open(source, &stream));
        TarScan scan;
        SHOAL_RETURN_IF_ERROR(ScanTarStream(stream.get(), progress, &scan));
        *skipped = std::move(scan.skipped);
        return TakeScan(std::move(scan), catalogue.get());
      },
      [=](Napi::Env env) -> Napi::Value {
        Napi::Object result = ToWalked(env, catalogue);
        result.Set("skipped", ToProblems(env, *skipped));
        return result;
      });
}

// writeArchive(catalogue, source, paths, jobs, progress)
Napi::Value WriteArchiveJob(const Napi::CallbackInfo& info) {
  auto catalogue = std::dynamic_pointer_cast<ArchiveCatalogue>(ToOpenCatalogue(info[0]));
  if (catalogue == nullptr) throw Napi::TypeError::New(info.Env(), "expected the catalogue of an archive");
  const ArchiveSource source = ToArchiveSource(info[1]);
  const std::vector<std::string> paths = ToVolumePaths(*catalogue, info[2]);
  const unsigned jobs = ThreadCount(info[3].As<Napi::Number>());
  Progress* progress = ToProgress(info[4]);
  return RunJob(
      info.Env(), {info[4]},
      [=]() -> Status {
        std::unique_ptr<ArchiveStream> stream;
        SHOAL_RETURN_IF_ERROR(ArchiveStream::Open(source, &stream));
        return WriteArchive(catalogue.get(), stream.get(), paths, jobs, progress);
      },
      [](Napi::Env env) -> Napi::Value { return env.Undefined(); });
}

}  // namespace

void ExportArchive(Napi::Env env, Napi::Object exports) {
  exports.Set("scanArchive", Napi::Function::New(env, ScanArchiveJob, "scanArchive"));
  exports.Set("writeArchive", Napi::Function::New(env, WriteArchiveJob, "writeArchive"));
}

}  // namespace shoal::addon
