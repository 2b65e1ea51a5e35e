#include "fuse/command_process.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace shoal::fuse {
namespace {

using Step = CommandReport::Step;

// Told to nobody: it ends where there is no parent to read it.
constexpr int kAbandoned = 1;

void Send(const CommandPlan& plan, const CommandReport& report, int device) {
  CommandReport copy = report;
  iovec part{&copy, sizeof copy};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (device >= 0) {
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(header), &device, sizeof device);
  }
  ssize_t sent;
  do {
    sent = sendmsg(plan.socket, &message, MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  if (sent < 0) _exit(kAbandoned);
}

[[noreturn]] void Fail(const CommandPlan& plan, Step step, int error, uint32_t mount = 0) {
  Send(plan, {step, error, mount}, -1);
  _exit(kAbandoned);
}

// Reports, and returns when told to go on.
void Pause(const CommandPlan& plan, Step step, uint32_t mount, int device) {
  Send(plan, {step, 0, mount}, device);
  char byte;
  ssize_t length;
  do {
    length = read(plan.socket, &byte, 1);
  } while (length < 0 && errno == EINTR);
  if (length != 1) _exit(kAbandoned);
}

// As after exec. Until then no handler of the parent may run here: some write into pipes that both have.
void ResetSignals(const CommandPlan& plan) {
  struct sigaction standard {};
  standard.sa_handler = SIG_DFL;
  for (int signal = 1; signal <= SIGRTMAX; signal++) sigaction(signal, &standard, nullptr);
  sigprocmask(SIG_SETMASK, &plan.signal_mask, nullptr);
}

// 0 or an errno.
int WriteFile(const char* path, const char* text) {
  const int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return errno;
  const int error = write(fd, text, std::strlen(text)) < 0 ? errno : 0;
  close(fd);
  return error;
}

void MapIdentity(const CommandPlan& plan) {
  // The kernel lets a user map a group only where nobody can drop groups that deny something. Before Linux 3.19 there
  // was no such file.
  int error = WriteFile("/proc/self/setgroups", "deny");
  if (error == 0 || error == ENOENT) error = WriteFile("/proc/self/uid_map", plan.user_map.c_str());
  if (error == 0) error = WriteFile("/proc/self/gid_map", plan.group_map.c_str());
  if (error != 0) Fail(plan, Step::kIdentity, error);
}

// Returns what to mount with.
const std::string& EnterNamespaces(const CommandPlan& plan) {
  const bool privileged = unshare(CLONE_NEWNS) == 0;
  if (!privileged) {
    if (errno != EPERM || unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) Fail(plan, Step::kNamespaces, errno);
    MapIdentity(plan);
  }
  // What others mount still arrives, what is mounted here goes nowhere.
  if (mount(nullptr, "/", nullptr, MS_REC | MS_SLAVE, nullptr) != 0) Fail(plan, Step::kPropagation, errno);
  return privileged ? plan.shared_mount_data : plan.mount_data;
}

// After the last change of credentials, which would cancel it.
void EndWithParent(const CommandPlan& plan) {
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) Fail(plan, Step::kParentDeath, errno);
  if (getppid() != plan.parent) _exit(kAbandoned);  // it ended before
}

// Whoever mounts must have opened the device in the same user namespace.
void OpenDevice(const CommandPlan& plan, uint32_t place) {
  const int device = open("/dev/fuse", O_RDWR | O_CLOEXEC);
  if (device < 0) Fail(plan, Step::kDevice, errno, place);
  if (device == plan.device) return;
  if (dup3(device, plan.device, O_CLOEXEC) < 0) Fail(plan, Step::kDevice, errno, place);
  close(device);
}

// Looks at the mount as the command will.
void ReadRoot(const CommandPlan& plan, uint32_t place) {
  const int fd = open(plan.mounts[place].directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  alignas(8) char listing[4096];
  if (fd < 0 || syscall(SYS_getdents64, fd, listing, sizeof listing) < 0) Fail(plan, Step::kRead, errno, place);
  close(fd);
}

void Mount(const CommandPlan& plan, uint32_t place, const std::string& data) {
  const PrivateMount& wanted = plan.mounts[place];
  OpenDevice(plan, place);
  if (mount(wanted.source.c_str(), wanted.directory.c_str(), plan.mount_type.c_str(), plan.mount_flags, data.c_str()) !=
      0) {
    Fail(plan, Step::kMount, errno, place);
  }
  Pause(plan, Step::kMounted, place, plan.device);
  close(plan.device);  // else the mount would seem served as long as this process lives
  ReadRoot(plan, place);
}

// A mount that covers the working directory leaves this process in what it covers.
void ReturnToWorkingDirectory(const CommandPlan& plan) {
  if (plan.working_directory.empty()) return;
  const char* path = plan.working_directory.c_str();
  struct stat found;
  const bool same =
      stat(path, &found) == 0 && found.st_dev == plan.working_device && found.st_ino == plan.working_inode;
  if (!same && chdir(path) != 0) Fail(plan, Step::kWorkingDirectory, errno);
}

// Returns an errno. A directory of PATH that may not be searched says nothing of the command.
int Execute(const CommandPlan& plan) {
  for (const int fd : plan.descriptors) fcntl(fd, F_SETFD, 0);
  execvp(plan.arguments[0], plan.arguments.data());
  const int error = errno;
  if (error != EACCES || plan.candidates.empty()) return error;
  for (const std::string& candidate : plan.candidates) {
    if (access(candidate.c_str(), F_OK) == 0) return EACCES;
  }
  return ENOENT;
}

}  // namespace

void BecomeCommand(const CommandPlan& plan) {
  ResetSignals(plan);
  close(plan.parents_socket);
  const std::string& data = EnterNamespaces(plan);
  EndWithParent(plan);
  for (uint32_t place = 0; place < plan.mounts.size(); place++) Mount(plan, place, data);
  ReturnToWorkingDirectory(plan);
  Pause(plan, Step::kReady, 0, -1);
  Fail(plan, Step::kCommand, Execute(plan));
}

}  // namespace shoal::fuse
