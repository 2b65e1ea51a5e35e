// The addon's entry point. JavaScript validates its arguments before it calls; this side trusts shapes, checks types.
#include "addon/bridge.h"

namespace shoal::addon {
namespace {

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  ExportColumns(env, exports);
  ExportConstants(env, exports);
  ExportIndex(env, exports);
  ExportPack(env, exports);
  ExportScan(env, exports);
  ExportMerge(env, exports);
  ExportArchive(env, exports);
  ExportUnpack(env, exports);
  ExportRemove(env, exports);
  ExportSlice(env, exports);
  ExportWalk(env, exports);
  ExportFuse(env, exports);
  ExportZstd(env, exports);
  ExportPrivateMounts(env, exports);
  return exports;
}

NODE_API_MODULE(shoal, Init)

}  // namespace
}  // namespace shoal::addon
