#include <memory>
#include <utility>

#include "addon/bridge.h"
#include "addon/frames_value.h"
#include "pack/tar_scanner.h"

namespace shoal::addon {
namespace {

Napi::Value ScanTar(const Napi::CallbackInfo& info) {
  const std::vector<std::string> paths = ToBytesList(info[0]);
  Progress* progress = ToProgress(info[1]);
  auto scan = std::make_shared<TarScan>();
  return RunJob(
      info.Env(), {info[1]}, [paths, progress, scan] { return shoal::ScanTar(paths, progress, scan.get()); },
      [scan](Napi::Env env) -> Napi::Value {
        Napi::Object result = Napi::Object::New(env);
        result.Set("entries", static_cast<double>(scan->catalogue.size()));
        result.Set("bytes", static_cast<double>(scan->bytes));
        result.Set("skipped", ToProblems(env, scan->skipped));
        if (!scan->id.empty()) result.Set("id", scan->id);
        if (!scan->pieces.empty()) result.Set("pieces", ToPieces(env, scan->pieces));
        Napi::Array order = Napi::Array::New(env, scan->order.size());
        for (uint32_t volume = 0; volume < scan->order.size(); volume++) order.Set(volume, scan->order[volume]);
        result.Set("order", order);
        Napi::Array frames = Napi::Array::New(env, scan->frames.size());
        for (uint32_t volume = 0; volume < scan->frames.size(); volume++) {
          const SeekTable& table = scan->frames[volume];
          if (!table.offsets.empty()) frames.Set(volume, ToFrames(env, table));
        }
        result.Set("frames", frames);
        result.Set("catalogue", WrapCatalogue(env, std::make_shared<Catalogue>(std::move(scan->catalogue))));
        return result;
      });
}

}  // namespace

void ExportScan(Napi::Env env, Napi::Object exports) { exports.Set("scanTar", Napi::Function::New(env, ScanTar)); }

}  // namespace shoal::addon
