// The counts of a mount as JavaScript sees them.
#pragma once

#include <napi.h>

#include "fuse/statistics.h"

namespace shoal::addon {

// NativeStatistics of src/native/addon.ts.
Napi::Value ToValue(Napi::Env env, const fuse::Statistics& statistics);

}  // namespace shoal::addon
