// Counters that a native job advances and JavaScript looks at from a timer: one Int32Array-aligned
// SharedArrayBuffer-like block owned by the JavaScript side for as long as the job runs.
#pragma once

#include <atomic>
#include <cstdint>

namespace shoal {

// The same order as ProgressCounter in src/native/addon.ts; each an unsigned 64-bit integer.
struct Progress {
  std::atomic<uint64_t> entries_done;
  std::atomic<uint64_t> bytes_done;
  std::atomic<uint64_t> entries_total;  // 0 while unknown
  std::atomic<uint64_t> bytes_total;    // 0 while unknown
  std::atomic<uint64_t> cancel;         // set to 1 by JavaScript: the job ends soon with kCancelled
};
static_assert(sizeof(Progress) == 40, "laid over a BigUint64Array of 5");

}  // namespace shoal
