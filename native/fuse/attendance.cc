#include "fuse/attendance.h"

#include <algorithm>
#include <chrono>

namespace shoal::fuse {
namespace {

using std::chrono::microseconds;

// What a request may be held up by another's wait for storage. A tick costs a deputy some 3 µs, so 1 % of a processor
// while requests come.
constexpr microseconds kTick{300};

// Ticks in a row without anybody at the device that mean: one thread does not keep up. A single client leaves it alone
// a quarter of the time.
constexpr int kOverloaded = 4;

// Ticks double while nothing comes; after one this long the deputy sleeps, so that an idle mount costs nothing.
constexpr microseconds kLongestTick{10'000};

}  // namespace

bool Attendance::Enter() {
  unsigned waiting = waiting_.load(std::memory_order_relaxed);
  do {
    if (waiting >= places_.load(std::memory_order_relaxed)) return false;
  } while (!waiting_.compare_exchange_weak(waiting, waiting + 1, std::memory_order_acquire));
  return true;
}

void Attendance::Count(unsigned seat) {
  std::atomic<uint64_t>& requests = seats_[seat].requests;  // written by one thread
  requests.store(requests.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

void Attendance::Leave() {
  // Before the look at the deputy, who looks here after having said that it sleeps: one of the two sees the other.
  waiting_.fetch_sub(1, std::memory_order_seq_cst);
  if (!deputy_sleeps_.load(std::memory_order_seq_cst)) return;
  std::lock_guard<std::mutex> lock(mutex_);
  deputy_sleeps_.store(false, std::memory_order_relaxed);
  deputy_awake_.notify_one();
}

void Attendance::Park() {
  std::unique_lock<std::mutex> lock(mutex_);
  while (has_deputy_ && !ended()) deputy_wanted_.wait(lock);
  if (ended()) return;
  has_deputy_ = true;
  Deputise(lock);
  has_deputy_ = false;
  deputy_wanted_.notify_one();
}

void Attendance::Deputise(std::unique_lock<std::mutex>& lock) {
  uint64_t seen = requests();
  microseconds tick = kTick;
  for (int absent = 0; !ended();) {
    if (tick > kLongestTick) {
      Sleep(lock);
      tick = kTick;
    }
    deputy_awake_.wait_for(lock, tick);
    const uint64_t counted = requests();
    const bool attended = waiting_.load(std::memory_order_acquire) > 0;
    const bool moved = counted != seen;
    seen = counted;
    tick = attended && !moved ? tick * 2 : kTick;
    absent = attended ? 0 : absent + 1;
    if (attended || (moved && absent < kOverloaded)) continue;
    if (!moved) {  // held up
      const unsigned places = places_.load(std::memory_order_relaxed);
      places_.store(std::min(places + 1, static_cast<unsigned>(seats_.size())), std::memory_order_relaxed);
    }
    return;
  }
}

void Attendance::Sleep(std::unique_lock<std::mutex>& lock) {
  deputy_sleeps_.store(true, std::memory_order_seq_cst);
  while (deputy_sleeps_.load(std::memory_order_relaxed) && waiting_.load(std::memory_order_seq_cst) > 0 && !ended()) {
    deputy_awake_.wait(lock);
  }
  deputy_sleeps_.store(false, std::memory_order_relaxed);
}

uint64_t Attendance::requests() const {
  uint64_t sum = 0;
  for (const Seat& seat : seats_) sum += seat.requests.load(std::memory_order_relaxed);
  return sum;
}

void Attendance::End() {
  ended_.store(true, std::memory_order_release);
  std::lock_guard<std::mutex> lock(mutex_);
  deputy_wanted_.notify_all();
  deputy_awake_.notify_all();
}

}  // namespace shoal::fuse
