// Decides how many threads a piece of work is worth, from what those that there are do with their time.
#pragma once

#include <cstdint>

namespace shoal {

// Time is in nanoseconds, and adds up since the work began.
struct ThreadSample {
  uint64_t now = 0;
  uint64_t done = 0;    // operations on storage
  uint64_t active = 0;  // time in which threads ran, or could have run had there been a processor for them
  uint64_t idle = 0;    // time in which threads had nothing to do
};

// Threads that neither run nor lack work wait for storage. Where they do so for most of their time, twice as many have
// twice as many operations in flight; that is done again as long as it pays. On a warm local disk threads never wait
// that long, however busy other processes keep the machine.
class ThreadGrowth {
 public:
  ThreadGrowth(unsigned threads, unsigned most) : threads_(threads), most_(most) {}

  // Whether enough was done since it was asked last that it can be judged; looks at `now` and `done` alone.
  bool IsDue(const ThreadSample& sample) const;
  // When it is due: how many threads there are to be from now on, as many as there are or more.
  unsigned Next(const ThreadSample& sample);

 private:
  unsigned threads_;
  const unsigned most_;
  ThreadSample last_;       // where the time that is looked at begins
  bool has_grown_ = false;  // at last_
  double rate_ = 0;         // operations in a nanosecond, before that
  uint64_t resting_until_ = 0;
  uint64_t rest_ = 250'000'000;  // doubles with each attempt that does not pay
};

}  // namespace shoal
