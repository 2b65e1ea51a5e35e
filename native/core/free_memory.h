// Memory that was freed and that the allocator keeps for later.
#pragma once

#include <cstdlib>
#if defined(__GLIBC__)
#include <malloc.h>
#endif

namespace shoal {

// Gives it back to the system. For who has freed much that other threads had allocated: glibc keeps what each thread
// frees, or has freed for it, for that thread, and the next to need memory takes fresh one.
inline void ReturnFreeMemory() {
#if defined(__GLIBC__)
  malloc_trim(0);
#endif
}

}  // namespace shoal
