#include "core/thread_growth.h"

#include <algorithm>

namespace shoal {
namespace {

// Shorter times are judged by too few operations, longer ones would let a thousand files wait for more threads.
constexpr uint64_t kShortest = 10'000'000;
constexpr uint64_t kLongest = 250'000'000;
constexpr uint64_t kOperationsPerThread = 4;
// Twice the threads are to do this much more.
constexpr double kGain = 1.25;
constexpr double kLeastWaiting = 0.5;
constexpr double kMostIdle = 0.125;

}  // namespace

bool ThreadGrowth::IsDue(const ThreadSample& sample) const {
  const uint64_t elapsed = sample.now - last_.now;
  if (elapsed >= kLongest) return true;
  return elapsed >= kShortest && sample.done - last_.done >= kOperationsPerThread * threads_;
}

unsigned ThreadGrowth::Next(const ThreadSample& sample) {
  const auto elapsed = static_cast<double>(sample.now - last_.now);
  const double time = elapsed * threads_;
  const double idle = static_cast<double>(sample.idle - last_.idle) / time;
  const double waiting = 1 - idle - static_cast<double>(sample.active - last_.active) / time;
  const double rate = static_cast<double>(sample.done - last_.done) / elapsed;
  last_ = sample;
  if (has_grown_ && rate < rate_ * kGain) {
    resting_until_ = sample.now + rest_;
    rest_ *= 2;
  }
  has_grown_ = waiting >= kLeastWaiting && idle <= kMostIdle && sample.now >= resting_until_;
  if (!has_grown_) return threads_;
  rate_ = rate;
  threads_ = std::min(most_, threads_ * 2);
  return threads_;
}

}  // namespace shoal
