// A command with mounts that it alone sees: in a mount namespace of its own, made without privileges or a helper, and
// gone with the last process in it.
#pragma once

#include <sys/types.h>

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "core/file.h"
#include "core/status.h"
#include "fuse/command_process.h"
#include "fuse/signal_relay.h"

namespace shoal::fuse {

// How a process ended: the signal that killed it, or with 0 its exit status.
struct ProcessEnd {
  int status = 0;
  int signal = 0;
};

class PrivateMounts {
 public:
  // Forks the process that is to become `command` with open `descriptors`, which the kernel kills when the calling
  // thread ends, and from now on relays signals to it. kBusy: this process runs a command already.
  static Status Start(std::vector<PrivateMount> mounts, std::vector<std::string> command, std::vector<int> descriptors,
                      std::unique_ptr<PrivateMounts>* out);

  // Kills the process unless it has ended.
  ~PrivateMounts();
  PrivateMounts(const PrivateMounts&) = delete;
  PrivateMounts& operator=(const PrivateMounts&) = delete;

  // The device of the next mount, in their order, to be served before this is called again; at last, when all of them
  // can be read, an invalid one. kCancelled: the process was killed.
  Status Next(UniqueFd* device);

  // Once Next is through: the process becomes the command. Fails if there is none that can be run; not if the process
  // was killed, which Wait tells.
  Status Run();

  // Waits until the process has ended.
  Status Wait(ProcessEnd* end);

  // Thread-safe.
  void Kill();

 private:
  PrivateMounts() = default;
  void Vacate();
  Status Continue();
  Status Receive(CommandReport* report, bool* received, UniqueFd* device);
  Status Explain(const CommandReport& report) const;

  CommandPlan plan_;
  UniqueFd socket_;
  bool begun_ = false;    // whether Next was called
  bool occupies_ = true;  // whether it is this process's one command
  std::unique_ptr<SignalRelay> relay_;

  std::mutex mutex_;
  pid_t pid_ = -1;  // -1: reaped
};

// Ends this process as another one ended: with its status, or by its signal. Nothing is flushed or set back: not even a
// terminal, which the command may have left changed on purpose.
[[noreturn]] void EndAs(const ProcessEnd& end);

}  // namespace shoal::fuse
