// Runs the same function on as many threads as the storage that it works on keeps busy.
#pragma once

#include <pthread.h>

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "core/status.h"
#include "core/thread_activity.h"

namespace shoal {

class GrowingThreads {
 public:
  // Threads at most, where their number is not given and there are fewer processors: about what a metadata server takes
  // from one client.
  static constexpr unsigned kMost = 128;

  // `jobs` threads. 0: as many as there are processors, and more while they mostly wait for storage (ThreadGrowth), at
  // most `most` then. `begin`: as many as other work on the same storage was found to be worth.
  explicit GrowingThreads(unsigned jobs, unsigned most = kMost, unsigned begin = 0);
  GrowingThreads(const GrowingThreads&) = delete;
  GrowingThreads& operator=(const GrowingThreads&) = delete;

  // All that there may ever be: workers have numbers below.
  unsigned most() const { return most_; }
  // After Run.
  unsigned started() const { return static_cast<unsigned>(threads_.size()); }
  // Descriptors of directories that the worker may hold, so that all together keep within what a process may have open.
  size_t DirectoryCapacity(unsigned worker) const;

  // Calls work(0), work(1) …, each on a thread started for it, and waits for all. They take what is to do from a common
  // place, and return when nothing is left there: there will be no further threads then. Where the system gives fewer
  // threads those do the work; where it gives none: kIo. Once.
  Status Run(const std::function<void(unsigned worker)>& work);

  // Called by the worker for each operation on storage that it has waited for.
  void Count(unsigned worker) {
    std::atomic<uint64_t>& done = workers_[worker].done;
    done.store(done.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }

  // While one lives a worker waits for something to do.
  class Idle {
   public:
    explicit Idle(GrowingThreads* threads) : threads_(*threads) { threads_.AddIdle(1); }
    ~Idle() { threads_.AddIdle(-1); }
    Idle(const Idle&) = delete;
    Idle& operator=(const Idle&) = delete;

   private:
    GrowingThreads& threads_;
  };

 private:
  // On a line of its own: each is written by its worker alone, with every operation.
  struct alignas(64) Worker {
    std::atomic<uint64_t> done{0};
    std::atomic<int> thread{0};  // its id for the kernel; 0 until it runs
    ThreadActivity activity;     // the watcher's
  };

  static void* Enter(void* start);
  Status Start(unsigned count);
  void Watch();
  uint64_t ActiveTime(uint64_t elapsed);
  uint64_t Done() const;
  void AddIdle(int workers);
  uint64_t IdleTime();

  const bool grows_;
  const unsigned processors_;
  const unsigned jobs_;
  const unsigned most_;
  const unsigned begin_;
  const std::unique_ptr<Worker[]> workers_;
  std::function<void(unsigned worker)> work_;
  std::vector<pthread_t> threads_;

  std::mutex mutex_;  // for all below
  std::condition_variable ended_;
  bool ending_ = false;  // a worker has found nothing left
  unsigned idle_ = 0;    // workers
  uint64_t idle_time_ = 0;
  uint64_t idle_since_ = 0;  // when idle_time_ was brought up to date
};

}  // namespace shoal
