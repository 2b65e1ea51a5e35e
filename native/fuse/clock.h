// The clock of everything that is measured here: nanoseconds that never run backwards.
#pragma once

#include <time.h>

#include <cstdint>

namespace shoal::fuse {

// How long the next request may take to come for polling to be worth it: a wake-up between processors costs about as
// much.
constexpr int64_t kPollNanoseconds = 50'000;

inline int64_t Now() {
  timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

}  // namespace shoal::fuse
