// Threads that answer the kernel over /dev/fuse until the filesystem is unmounted.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "core/file.h"
#include "core/status.h"
#include "fuse/attendance.h"
#include "fuse/clock.h"
#include "fuse/negotiate.h"
#include "fuse/operations.h"
#include "fuse/ring_queues.h"
#include "fuse/statistics.h"

namespace shoal::fuse {

class Session {
 public:
  // Shakes hands with the kernel over `device`, then serves as tuned. `operations` outlives
  // the session. `ended` is called once, by the last thread that leaves. kUnsupported: the kernel is too old.
  static Status Start(UniqueFd device, Operations& operations, const Tuning& tuning, std::function<void()> ended,
                      std::unique_ptr<Session>* out);

  // Waits for the threads, so the session must have ended or be about to; not from `ended`.
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // Requests of the kernel so far.
  uint64_t requests() const { return attendance_.requests() + (rings_ ? rings_->requests() : 0); }

  // Adds what all threads did, and says what was agreed. Thread-safe.
  void Tell(Statistics* statistics) const;

 private:
  struct Worker;
  enum class Received { kRequest, kNothing, kEnded };

  Session(UniqueFd device, Operations& operations, const Tuning& tuning, unsigned threads, std::function<void()> ended);
  Status ShakeHands();
  Status StartWorkers(unsigned threads);
  void Run(Worker& worker);
  void Leave();
  void Serve(Worker& worker);
  Received Await(Worker& worker);
  Received Poll(Worker& worker, int64_t since);
  Received Receive(Worker& worker, int device);
  Answer Handle(const InHeader& header, std::string_view body, Workspace& workspace);
  void Reply(Worker& worker);

  UniqueFd device_;
  Operations& operations_;
  const Tuning tuning_;
  const std::function<void()> ended_;
  const int64_t began_ = Now();
  Attendance attendance_;
  Negotiation agreed_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<std::thread> threads_;
  std::unique_ptr<RingQueues> rings_;
  std::atomic<unsigned> running_{0};  // threads that have not left
};

}  // namespace shoal::fuse
