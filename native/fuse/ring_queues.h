// FUSE over io_uring (Documentation/filesystems/fuse/fuse-io-uring.rst of Linux, from 6.14 on): the kernel keeps a
// queue of requests for each processor. Here a thread serves each queue, on that processor: what it answers and its
// wait for the next request are one system call, and no other processor has to be woken. Forgotten nodes and interrupts
// still come over the device.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "core/status.h"
#include "fuse/operations.h"
#include "fuse/statistics.h"

namespace shoal::fuse {

class RingQueues {
 public:
  // Makes ready all that can fail: threads, rings and memory. Null where the kernel, an administrator or a sandbox does
  // not let us: to be known before INIT is answered, because once agreed the kernel sends nothing until every queue is
  // served. Replies take up to `max_reply` bytes, fewer where there are very many processors: reply_room() says.
  static std::unique_ptr<RingQueues> Prepare(Operations& operations, uint32_t max_reply, bool polling);

  // Ends the threads of queues that were not started; of those that were, waits for the end of the session.
  ~RingQueues();
  RingQueues(const RingQueues&) = delete;
  RingQueues& operator=(const RingQueues&) = delete;

  uint32_t reply_room() const { return reply_room_; }
  unsigned threads() const { return static_cast<unsigned>(workers_.size()); }

  // Serves the session of `device`, whose INIT was answered. Each thread calls `left` when the session has ended.
  void Start(int device, std::function<void()> left);

  // Requests of the kernel so far.
  uint64_t requests() const;

  // Adds what all threads did. Thread-safe.
  void Tell(Statistics* statistics) const;

 private:
  struct Entry;
  struct Worker;
  enum class Order { kWait, kServe, kLeave };

  RingQueues(Operations& operations, uint32_t max_reply, bool polling, unsigned queues);
  bool StartThreads();
  void Run(Worker& worker);
  void Give(Order order);
  void Serve(Worker& worker);
  void Register(Worker& worker);
  bool Await(Worker& worker);
  void Answer(Worker& worker, Entry& entry);

  Operations& operations_;
  const bool polling_;
  uint32_t reply_room_;
  int device_ = -1;
  std::function<void()> left_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<std::thread> threads_;

  std::mutex mutex_;  // before serving only
  std::condition_variable changed_;
  unsigned ready_ = 0;
  bool failed_ = false;
  Order order_ = Order::kWait;
};

}  // namespace shoal::fuse
