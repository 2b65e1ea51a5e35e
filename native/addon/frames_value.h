// Where the frames of a compressed volume lie as a JavaScript value: NativeFrames of src/native/addon.ts.
#pragma once

#include "addon/bridge.h"
#include "core/seek_table.h"

namespace shoal::addon {

inline Napi::Object ToFrames(Napi::Env env, const SeekTable& table) {
  Napi::Object frames = Napi::Object::New(env);
  frames.Set("plainLength", static_cast<double>(table.plain_length));
  frames.Set("frameLength", static_cast<double>(table.frame_length));
  frames.Set("offsets", ToColumn<Napi::Float64Array>(env, table.offsets));
  return frames;
}

}  // namespace shoal::addon
