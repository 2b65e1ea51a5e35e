// What the process that is to become a command does between fork and exec: its namespaces and its mounts. A fork of a
// process with threads may call async-signal-safe functions only (signal-safety(7)), so it allocates nothing, and all
// that it needs is made before.
#pragma once

#include <signal.h>
#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace shoal::fuse {

struct PrivateMount {
  std::string source;     // what mountinfo and df show
  std::string directory;  // absolute
};

struct CommandPlan {
  std::vector<PrivateMount> mounts;
  std::vector<std::string> command;
  std::vector<char*> arguments;         // of `command`, for exec
  std::vector<std::string> candidates;  // where a command without a slash in its name may lie
  std::vector<int> descriptors;         // which it keeps, although Node set close-on-exec on them

  pid_t parent = 0;
  sigset_t signal_mask;    // of the command
  int parents_socket = 0;  // to be closed
  int socket = 0;          // SOCK_SEQPACKET, over which it reports and is told to go on
  int device = 0;          // the number that each /dev/fuse gets, so that `mount_data` can name it

  std::string mount_type;
  unsigned long mount_flags = 0;
  std::string mount_data;         // within a user namespace, which has one user
  std::string shared_mount_data;  // else: for every user, since nobody outside of the mount namespace sees the mount
  std::string user_map;           // of /proc/self/uid_map: everybody stays who they are
  std::string group_map;

  // Where it is to be again when the mounts are there; empty if it cannot be reached by its path.
  std::string working_directory;
  dev_t working_device = 0;
  ino_t working_inode = 0;
};

// From the process to its parent; a byte back means: go on.
struct CommandReport {
  enum class Step : uint32_t {
    kNamespaces,
    kIdentity,  // mapping the user and the group
    kPropagation,
    kParentDeath,
    kDevice,
    kMount,
    kMounted,  // no failure; carries the device, waits until it is served
    kRead,
    kWorkingDirectory,
    kReady,  // no failure; waits until it is to become the command
    kCommand,
  };
  Step step;
  int32_t error;   // errno, 0 where nothing failed
  uint32_t mount;  // its place in the list, where one is concerned
};

// The whole life of the process, right after fork and with all signals blocked.
[[noreturn]] void BecomeCommand(const CommandPlan& plan);

}  // namespace shoal::fuse
