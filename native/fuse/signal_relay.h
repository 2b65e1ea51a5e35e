// Signals that were sent to this process alone, passed on to another.
#pragma once

#include <signal.h>
#include <sys/types.h>

namespace shoal::fuse {

// While it lives, signals sent to this process go to the process `target` and do nothing here, but for these:
// - What a terminal sends (Ctrl-C, Ctrl-\, hang-up, a new size): it sends that to all of the process group, to which
//   the target belongs unless it left, and what the target itself sends to its process group.
// - SIGTSTP, SIGTTIN and SIGTTOU: they stop this process as they stop the target.
// - SIGCHLD, SIGPIPE, SIGXFSZ, SIGPROF and faults, which are about this process.
// Whoever else signals the process group reaches the target twice: the kernel does not tell to whom a signal was sent,
// and twice is better than never.
// There is one at a time in a process: its owner sees to that.
class SignalRelay {
 public:
  explicit SignalRelay(pid_t target);
  ~SignalRelay();
  SignalRelay(const SignalRelay&) = delete;
  SignalRelay& operator=(const SignalRelay&) = delete;

 private:
  struct sigaction before_[_NSIG];  // by number; of those that are relayed
};

}  // namespace shoal::fuse
