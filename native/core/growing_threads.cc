#include "core/growing_threads.h"

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>

#include "core/directory_opener.h"
#include "core/run_threads.h"
#include "core/thread_growth.h"

namespace shoal {
namespace {

constexpr size_t kStack = 1 << 20;
constexpr auto kTick = std::chrono::milliseconds(5);
// So many threads are asked what they do, for all.
constexpr unsigned kAsked = 16;
// Descriptors of directories that the first threads hold all together, and each further one; each thread may have as
// many files open as directories are few then, and the rest of the process has some, too.
constexpr size_t kDirectories = 512;
constexpr size_t kFewDirectories = 3;
constexpr size_t kFewDescriptors = kFewDirectories + 2;
constexpr size_t kOtherDescriptors = 128;

uint64_t Now() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(now).count());
}

size_t DirectoriesOf(unsigned threads) {
  return std::max<size_t>(2, std::min(DirectoryOpener::kDefaultCapacity, kDirectories / std::max(1U, threads)));
}

// As many as the process may open files for.
unsigned MostThreads(unsigned processors, unsigned most) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return processors;
  const size_t used = kOtherDescriptors + processors * DirectoriesOf(processors);
  const size_t further = limit.rlim_cur > used ? (limit.rlim_cur - used) / kFewDescriptors : 0;
  return std::max(processors, static_cast<unsigned>(std::min<size_t>(most, processors + further)));
}

struct ThreadStart {
  GrowingThreads* threads;
  unsigned worker;
};

}  // namespace

GrowingThreads::GrowingThreads(unsigned jobs, unsigned most, unsigned begin)
    : grows_(jobs == 0),
      processors_(ThreadCount(0)),
      jobs_(grows_ ? processors_ : jobs),
      most_(grows_ ? MostThreads(processors_, most) : jobs),
      begin_(std::min(most_, std::max(jobs_, begin))),
      workers_(new Worker[most_]) {}

size_t GrowingThreads::DirectoryCapacity(unsigned worker) const {
  return worker < jobs_ ? DirectoriesOf(jobs_) : kFewDirectories;
}

Status GrowingThreads::Run(const std::function<void(unsigned worker)>& work) {
  work_ = work;
  Status status = Start(begin_);
  if (threads_.empty()) return status;
  if (grows_ && started() < most_) Watch();
  for (pthread_t thread : threads_) pthread_join(thread, nullptr);
  return Status();
}

// Until there are `count`.
Status GrowingThreads::Start(unsigned count) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, kStack);
  int error = 0;
  while (error == 0 && threads_.size() < count) {
    auto start = std::make_unique<ThreadStart>(ThreadStart{this, started()});
    pthread_t thread;
    error = pthread_create(&thread, &attributes, &GrowingThreads::Enter, start.get());
    if (error == 0) {
      start.release();  // the thread's
      threads_.push_back(thread);
    }
  }
  pthread_attr_destroy(&attributes);
  return error == 0 ? Status() : Status::FromErrno("cannot start a thread", "", error);
}

void* GrowingThreads::Enter(void* argument) {
  const std::unique_ptr<ThreadStart> start(static_cast<ThreadStart*>(argument));
  GrowingThreads& threads = *start->threads;
  threads.workers_[start->worker].thread.store(static_cast<int>(syscall(SYS_gettid)), std::memory_order_relaxed);
  threads.work_(start->worker);
  std::lock_guard<std::mutex> lock(threads.mutex_);
  threads.ending_ = true;
  threads.ended_.notify_all();
  return nullptr;
}

// Until the first worker finds nothing left to do.
void GrowingThreads::Watch() {
  ThreadGrowth growth(started(), most_);
  const uint64_t begun = Now();
  uint64_t asked = 0;
  uint64_t active = 0;
  for (;;) {
    {
      std::unique_lock<std::mutex> lock(mutex_);
      if (ended_.wait_for(lock, kTick, [this] { return ending_; })) return;
    }
    ThreadSample sample;
    sample.now = Now() - begun;
    sample.done = Done();
    if (!growth.IsDue(sample)) continue;
    active += ActiveTime(sample.now - asked);
    asked = sample.now;
    sample.active = active;
    sample.idle = IdleTime();
    const unsigned wanted = growth.Next(sample);
    if (wanted > started() && !Start(wanted).ok()) return;
    if (started() == most_) return;
  }
}

uint64_t GrowingThreads::Done() const {
  uint64_t done = 0;
  for (unsigned worker = 0; worker < started(); worker++) done += workers_[worker].done.load(std::memory_order_relaxed);
  return done;
}

uint64_t GrowingThreads::ActiveTime(uint64_t elapsed) {
  const unsigned step = (started() + kAsked - 1) / kAsked;
  uint64_t active = 0;
  unsigned asked = 0;
  for (unsigned worker = 0; worker < started(); worker += step) {
    const int thread = workers_[worker].thread.load(std::memory_order_relaxed);
    // One that does not run yet waits for a processor.
    active += thread == 0 ? elapsed : workers_[worker].activity.Take(thread, elapsed);
    asked++;
  }
  return active * started() / asked;
}

uint64_t GrowingThreads::IdleTime() {
  AddIdle(0);
  std::lock_guard<std::mutex> lock(mutex_);
  return idle_time_;
}

void GrowingThreads::AddIdle(int workers) {
  std::lock_guard<std::mutex> lock(mutex_);
  const uint64_t now = Now();
  idle_time_ += idle_ * (now - idle_since_);
  idle_since_ = now;
  idle_ += static_cast<unsigned>(workers);
}

}  // namespace shoal
