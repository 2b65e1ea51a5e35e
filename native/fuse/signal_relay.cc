#include "fuse/signal_relay.h"

#include <atomic>
#include <cerrno>

namespace shoal::fuse {
namespace {

std::atomic<pid_t> target_process{0};
static_assert(std::atomic<pid_t>::is_always_lock_free, "a signal handler reads it");

void Relay(int signal, siginfo_t* info, void*) {
  const int error = errno;
  const pid_t target = target_process.load();
  const bool from_kernel = info->si_code > 0;  // the terminal; users' have codes up to 0 (sigaction(2))
  if (target > 0 && !from_kernel && info->si_pid != target) kill(target, signal);
  errno = error;
}

bool IsRelayed(int signal) {
  switch (signal) {
    case SIGKILL:
    case SIGSTOP:
    case SIGTSTP:
    case SIGTTIN:
    case SIGTTOU:
    case SIGCHLD:
    case SIGPIPE:
    case SIGXFSZ:
    case SIGPROF:
    case SIGSEGV:
    case SIGBUS:
    case SIGFPE:
    case SIGILL:
    case SIGTRAP:
    case SIGABRT:
    case SIGSYS:
      return false;
    default:
      return signal < 32 || signal >= SIGRTMIN;  // between are those of the C library
  }
}

template <typename Action>
void ForEachRelayed(Action action) {
  for (int signal = 1; signal <= SIGRTMAX && signal < _NSIG; signal++) {
    if (IsRelayed(signal)) action(signal);
  }
}

}  // namespace

SignalRelay::SignalRelay(pid_t target) {
  target_process = target;
  struct sigaction relay {};
  relay.sa_sigaction = Relay;
  relay.sa_flags = SA_SIGINFO | SA_RESTART;
  sigfillset(&relay.sa_mask);
  ForEachRelayed([&](int signal) { sigaction(signal, &relay, &before_[signal]); });
}

SignalRelay::~SignalRelay() {
  target_process = 0;
  ForEachRelayed([&](int signal) { sigaction(signal, &before_[signal], nullptr); });
}

}  // namespace shoal::fuse
