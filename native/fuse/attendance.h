// Who waits at the device. The kernel wakes a waiting thread for each request, even if another is awake and about to
// take it, and a wake-up costs more than most requests. So one thread attends: it takes a request, answers it and looks
// for the next, while the others are parked. One of these, the deputy, looks every tick, as long as requests come,
// whether the device was left alone; then it attends too. Where one thread is held up by storage, others are thus
// delayed by a tick at most, and from then on more threads attend until requests are few again.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <vector>

namespace shoal::fuse {

class Attendance {
 public:
  explicit Attendance(unsigned threads) : seats_(threads) {}

  // Whether one more thread may wait at the device; then Leave() follows, with a request or without. No lock, unless
  // the deputy sleeps.
  bool Enter();
  void Leave();

  // For each request, by the thread in this seat.
  void Count(unsigned seat);

  // Counted so far, in all seats.
  uint64_t requests() const;

  // One thread keeps up with the requests: no other needs to wait beside it.
  void Relax() { places_.store(1, std::memory_order_relaxed); }

  // Returns when this thread should look for requests, or when the session has ended.
  void Park();

  void End();
  bool ended() const { return ended_.load(std::memory_order_acquire); }

  // Taken by the one thread that may poll.
  bool BeginPoll() { return !polling_.exchange(true, std::memory_order_acquire); }
  void EndPoll() { polling_.store(false, std::memory_order_release); }

 private:
  struct alignas(64) Seat {
    std::atomic<uint64_t> requests{0};
  };

  void Deputise(std::unique_lock<std::mutex>& lock);
  void Sleep(std::unique_lock<std::mutex>& lock);

  std::vector<Seat> seats_;
  alignas(64) std::atomic<unsigned> waiting_{0};  // threads between Enter() and Leave()
  std::atomic<unsigned> places_{1};               // how many may be
  std::atomic<bool> polling_{false};
  std::atomic<bool> deputy_sleeps_{false};
  std::atomic<bool> ended_{false};

  // Only for the parked.
  std::mutex mutex_;
  std::condition_variable deputy_wanted_;
  std::condition_variable deputy_awake_;
  bool has_deputy_ = false;
};

}  // namespace shoal::fuse
