// How much of its time a thread of this process would use a processor.
#pragma once

#include <cstdint>

namespace shoal {

class ThreadActivity {
 public:
  // `thread` is its id for the kernel, `elapsed` the nanoseconds since the call before, or since it was started: of
  // them, those in which it ran or could have run had there been a processor for it. What is left it waited for
  // something else. Where the kernel does not tell: all of them.
  uint64_t Take(int thread, uint64_t elapsed);

 private:
  uint64_t accounted_ = 0;  // at the call before
};

}  // namespace shoal
