// Checks when threads grow in number: by made-up samples, and with real threads that wait or that work.
// Prints `done`, or what is wrong with status 1.
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <string>
#include <thread>

#include "core/growing_threads.h"
#include "core/run_threads.h"
#include "core/thread_growth.h"

namespace {

using shoal::GrowingThreads;
using shoal::ThreadGrowth;
using shoal::ThreadSample;

constexpr uint64_t kMillisecond = 1'000'000;

void Expect(bool holds, const std::string& what) {
  if (holds) return;
  std::printf("%s\n", what.c_str());
  std::exit(1);
}

void ExpectThreads(unsigned expected, unsigned found, const char* when) {
  Expect(expected == found,
         std::string(when) + ": expected " + std::to_string(expected) + " threads, found " + std::to_string(found));
}

// Storage on which an operation takes 2 ms, and which serves `served` of them at once.
class Model {
 public:
  Model(unsigned threads, unsigned most, unsigned served)
      : growth_(threads, most), served_(served), threads_(threads) {}

  // The threads, after so much time, of which they spend these shares running, or without work.
  unsigned After(unsigned milliseconds, double active, double idle) {
    const double time = static_cast<double>(milliseconds * kMillisecond) * threads_;
    sample_.now += milliseconds * kMillisecond;
    sample_.done += std::min(threads_, served_) * milliseconds / 2;
    sample_.active += static_cast<uint64_t>(time * active);
    sample_.idle += static_cast<uint64_t>(time * idle);
    if (growth_.IsDue(sample_)) threads_ = growth_.Next(sample_);
    return threads_;
  }

 private:
  ThreadGrowth growth_;
  ThreadSample sample_;
  const unsigned served_;
  unsigned threads_;
};

void CheckGrowth() {
  Model waiting(2, 50, 1000);
  ExpectThreads(2, waiting.After(4, 0.1, 0), "too early to judge");
  ExpectThreads(4, waiting.After(6, 0.1, 0), "waiting");
  for (unsigned expected : {8U, 16U, 32U, 50U, 50U}) {
    ExpectThreads(expected, waiting.After(10, 0.1, 0), "waiting on");
  }

  Model busy(2, 64, 1000);
  Model idle(2, 64, 1000);
  for (int i = 0; i < 100; i++) {
    ExpectThreads(2, busy.After(10, 0.6, 0), "running or ready to run");
    ExpectThreads(2, idle.After(10, 0.1, 0.3), "with too little work");
  }

  Model narrow(2, 1024, 8);
  for (unsigned expected : {4U, 8U, 16U}) ExpectThreads(expected, narrow.After(10, 0.1, 0), "while it pays");
  for (int i = 0; i < 24; i++) ExpectThreads(16, narrow.After(10, 0.1, 0), "when it does not pay any more");
  // Storage may have become quicker: it is tried again, each time after twice as long.
  unsigned threads = 16;
  for (int i = 0; i < 200; i++) threads = narrow.After(10, 0.1, 0);
  Expect(threads > 16 && threads <= 128,
         "tried now and then: expected 17 to 128 threads, found " + std::to_string(threads));
}

// How many threads there were at most at once for `count` operations.
unsigned MostFor(unsigned jobs, int count, void (*operation)()) {
  GrowingThreads threads(jobs);
  std::atomic<int> left{count};
  const shoal::Status status = threads.Run([&](unsigned worker) {
    Expect(worker < threads.most(), "a worker's number beyond the most");
    while (left.fetch_sub(1) > 0) {
      operation();
      threads.Count(worker);
    }
  });
  Expect(status.ok(), status.message());
  return threads.started();
}

void Wait() { std::this_thread::sleep_for(std::chrono::milliseconds(5)); }

void Work() {
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(1);
  while (std::chrono::steady_clock::now() < end) continue;
}

void CheckThreads() {
  const unsigned processors = shoal::ThreadCount(0);
  const unsigned waiting = MostFor(0, 2000, &Wait);
  Expect(waiting >= 8 * processors || waiting >= 64,
         "expected many threads where each waits, found " + std::to_string(waiting));
  ExpectThreads(processors, MostFor(0, 500, &Work), "where each works");
  ExpectThreads(3, MostFor(3, 300, &Wait), "where their number is given");
}

// Threads without anything to do do not bring more of them, however long the one that has takes.
void CheckIdle() {
  GrowingThreads threads(0);
  std::mutex mutex;
  std::condition_variable ended;
  bool end = false;
  const shoal::Status status = threads.Run([&](unsigned worker) {
    if (worker == 0) {
      for (int i = 0; i < 50; i++) {
        Wait();
        threads.Count(worker);
      }
      std::lock_guard<std::mutex> lock(mutex);
      end = true;
      ended.notify_all();
      return;
    }
    std::unique_lock<std::mutex> lock(mutex);
    const GrowingThreads::Idle idle(&threads);
    ended.wait(lock, [&] { return end; });
  });
  Expect(status.ok(), status.message());
  if (shoal::ThreadCount(0) > 1) ExpectThreads(shoal::ThreadCount(0), threads.started(), "where one has all the work");
}

}  // namespace

int main() {
  CheckGrowth();
  CheckThreads();
  CheckIdle();
  std::printf("done\n");
  return 0;
}
