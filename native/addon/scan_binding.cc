#include <memory>
#include <utility>

#include "addon/bridge.h"
#include "pack/tar_scanner.h"

namespace shoal::addon {
namespace {

Napi::Value ScanTar(const Napi::CallbackInfo& info) {
  const std::string path = ToBytes(info[0]);
  Progress* progress = ToProgress(info[1]);
  auto scan = std::make_shared<TarScan>();
  return RunJob(
      info.Env(), {info[1]}, [path, progress, scan] { return shoal::ScanTar(path, progress, scan.get()); },
      [scan](Napi::Env env) -> Napi::Value {
        Napi::Object result = Napi::Object::New(env);
        result.Set("entries", static_cast<double>(scan->catalogue.size()));
        result.Set("bytes", static_cast<double>(scan->bytes));
        result.Set("skipped", ToProblems(env, scan->skipped));
        if (!scan->id.empty()) result.Set("id", scan->id);
        if (!scan->pieces.empty()) result.Set("pieces", ToColumn<Napi::Uint32Array>(env, scan->pieces));
        if (!scan->frames.offsets.empty()) {
          Napi::Object frames = Napi::Object::New(env);
          frames.Set("plainLength", static_cast<double>(scan->frames.plain_length));
          frames.Set("frameLength", static_cast<double>(scan->frames.frame_length));
          frames.Set("offsets", ToColumn<Napi::Float64Array>(env, scan->frames.offsets));
          result.Set("frames", frames);
        }
        result.Set("catalogue", WrapCatalogue(env, std::make_shared<Catalogue>(std::move(scan->catalogue))));
        return result;
      });
}

}  // namespace

void ExportScan(Napi::Env env, Napi::Object exports) { exports.Set("scanTar", Napi::Function::New(env, ScanTar)); }

}  // namespace shoal::addon
