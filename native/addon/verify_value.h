// What a verification has found as a JavaScript value: VerifyResult of src/native/addon.ts.
#pragma once

#include "addon/bridge.h"
#include "unpack/verify.h"

namespace shoal::addon {

inline Napi::Object ToVerifyResult(Napi::Env env, const VerifyOutcome& outcome) {
  Napi::Object result = Napi::Object::New(env);
  result.Set("entries", static_cast<double>(outcome.entries));
  result.Set("bytes", static_cast<double>(outcome.bytes));
  result.Set("uncheckedBytes", static_cast<double>(outcome.unchecked_bytes));
  result.Set("unframedVolumes", static_cast<double>(outcome.unframed_volumes));
  result.Set("problems", ToProblems(env, outcome.problems));
  return result;
}

}  // namespace shoal::addon
