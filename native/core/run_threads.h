// Runs the same function on several threads and waits for all of them.
#pragma once

#include <functional>

#include "core/status.h"

namespace shoal {

// `jobs`, or as many as there are processors where it is 0.
unsigned ThreadCount(unsigned jobs);

// Calls work(0) … work(jobs − 1), each on a thread started for it. Where the system gives fewer threads those do the
// work, so they must take what is to do from a common place; where it gives none: kIo.
Status RunThreads(unsigned jobs, const std::function<void(unsigned worker)>& work);

}  // namespace shoal
