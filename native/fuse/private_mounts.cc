#include "fuse/private_mounts.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>

#include "fuse/forbidden_namespaces.h"
#include "fuse/mount.h"
#include "fuse/receive_descriptor.h"

namespace shoal::fuse {
namespace {

// What shells add to the number of a signal.
constexpr int kSignalStatus = 128;

// Whether this process has a command: there is one SignalRelay.
std::atomic<bool> occupied{false};

// The kernel gives a path also where a directory above it may not be searched, and other directories one of the same.
void RememberWorkingDirectory(CommandPlan* plan) {
  char path[PATH_MAX];
  struct stat here;
  struct stat there;
  if (getcwd(path, sizeof path) == nullptr || path[0] != '/' || stat(".", &here) != 0 || stat(path, &there) != 0)
    return;
  if (here.st_dev != there.st_dev || here.st_ino != there.st_ino) return;
  plan->working_directory = path;
  plan->working_device = here.st_dev;
  plan->working_inode = here.st_ino;
}

void PrepareCommand(CommandPlan* plan) {
  for (std::string& argument : plan->command) plan->arguments.push_back(&argument[0]);
  plan->arguments.push_back(nullptr);
  const char* path = getenv("PATH");
  if (path == nullptr || plan->command[0].find('/') != std::string::npos) return;
  const std::string directories = path;
  for (size_t begin = 0; begin <= directories.size();) {
    const size_t end = std::min(directories.find(':', begin), directories.size());
    const std::string directory = directories.substr(begin, end - begin);
    plan->candidates.push_back((directory.empty() ? "." : directory) + "/" + plan->command[0]);
    begin = end + 1;
  }
}

void PrepareMounts(CommandPlan* plan, int device) {
  plan->device = device;
  plan->mount_type = MountType();
  const MountFlags alone;
  MountFlags shared;
  shared.allow_other = true;
  plan->mount_flags = MountBits(alone);
  plan->mount_data = MountData(device, alone);
  plan->shared_mount_data = MountData(device, shared);
  const std::string user = std::to_string(geteuid());
  const std::string group = std::to_string(getegid());
  plan->user_map = user + " " + user + " 1\n";
  plan->group_map = group + " " + group + " 1\n";
}

// The child's side of the fork never returns.
pid_t Fork(CommandPlan* plan) {
  sigset_t all;
  sigfillset(&all);
  plan->parent = getpid();
  pthread_sigmask(SIG_SETMASK, &all, &plan->signal_mask);
  const pid_t pid = fork();
  if (pid == 0) BecomeCommand(*plan);
  const int error = errno;
  pthread_sigmask(SIG_SETMASK, &plan->signal_mask, nullptr);
  errno = error;
  return pid;
}

Status ExplainMount(int error, const std::string& directory) {
  if (error == ENOENT) {
    return Status(Code::kUsage, "expected a directory to mount on, found nothing; create it with mkdir -p")
        .At(directory);
  }
  if (error == ENOTDIR) {
    return Status(Code::kUsage, "expected a directory to mount on, found something else; name another one")
        .At(directory);
  }
  if (error == EPERM) {
    return Status(
               Code::kPermission,
               "a container, a security policy or a kernel before Linux 4.18 forbids mounting even in a namespace of "
               "one's own; use shoal extract instead")
        .At(directory);
  }
  return Status::FromErrno("cannot mount on", directory, error);
}

Status ExplainCommand(int error, const std::string& name) {
  if (error != ENOENT) return Status::FromErrno("cannot run", name, error);
  const bool is_path = name.find('/') != std::string::npos;
  return Status(Code::kMissing, is_path
                                    ? "expected a program to run, found nothing here, or a script whose interpreter is "
                                      "missing"
                                    : "expected a program of this name in a directory of PATH, found none")
      .At(name);
}

}  // namespace

Status PrivateMounts::Start(std::vector<PrivateMount> mounts, std::vector<std::string> command,
                            std::vector<int> descriptors, std::unique_ptr<PrivateMounts>* out) {
  if (occupied.exchange(true)) {
    return Status(Code::kBusy, "expected one command at a time in a process, found another one that runs");
  }
  std::unique_ptr<PrivateMounts> made(new PrivateMounts());
  CommandPlan& plan = made->plan_;
  plan.mounts = std::move(mounts);
  plan.command = std::move(command);
  plan.descriptors = std::move(descriptors);
  PrepareCommand(&plan);

  // It tells what is wrong with FUSE here, and its number is free for the process to use.
  UniqueFd device;
  SHOAL_RETURN_IF_ERROR(OpenDevice(&device));
  PrepareMounts(&plan, device.get());
  RememberWorkingDirectory(&plan);

  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
    return Status::FromErrno("cannot make a socket", "", errno);
  }
  made->socket_.reset(ends[0]);
  const UniqueFd theirs(ends[1]);
  plan.parents_socket = ends[0];
  plan.socket = ends[1];
  made->pid_ = Fork(&plan);
  if (made->pid_ < 0) return Status::FromErrno("cannot start a process", "", errno);
  made->relay_ = std::make_unique<SignalRelay>(made->pid_);
  *out = std::move(made);
  return Status();
}

PrivateMounts::~PrivateMounts() {
  Kill();
  ProcessEnd end;
  const Status ignored = pid_ > 0 ? Wait(&end) : Status();  // nobody asked
  (void)ignored;
  Vacate();
}

Status PrivateMounts::Next(UniqueFd* device) {
  if (begun_) SHOAL_RETURN_IF_ERROR(Continue());
  begun_ = true;
  CommandReport report{};
  bool received = false;
  SHOAL_RETURN_IF_ERROR(Receive(&report, &received, device));
  if (!received) return Status(Code::kCancelled, "the process was killed before it became the command");
  return Explain(report);
}

Status PrivateMounts::Run() {
  SHOAL_RETURN_IF_ERROR(Continue());
  CommandReport report{};
  bool received = false;
  UniqueFd none;
  SHOAL_RETURN_IF_ERROR(Receive(&report, &received, &none));
  return received ? Explain(report) : Status();  // its end of the socket closed with exec
}

Status PrivateMounts::Wait(ProcessEnd* end) {
  siginfo_t info{};
  // Its number stays its own until it is reaped, so that no signal reaches another process.
  while (waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOWAIT) != 0) {
    if (errno != EINTR) return Status::FromErrno("cannot wait for the command", plan_.command[0], errno);
  }
  const std::lock_guard<std::mutex> lock(mutex_);
  relay_.reset();
  while (waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED) != 0 && errno == EINTR) {
  }
  pid_ = -1;
  Vacate();
  if (info.si_code == CLD_EXITED)
    end->status = info.si_status;
  else
    end->signal = info.si_status;
  return Status();
}

void PrivateMounts::Kill() {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (pid_ > 0) kill(pid_, SIGKILL);
}

void PrivateMounts::Vacate() {
  if (occupies_) occupied = false;
  occupies_ = false;
}

Status PrivateMounts::Continue() {
  const char go = 0;
  while (send(socket_.get(), &go, 1, MSG_NOSIGNAL) < 0) {
    if (errno == EPIPE) return Status();  // it has ended, as the next report will tell
    if (errno != EINTR) return Status::FromErrno("cannot tell the command to go on", plan_.command[0], errno);
  }
  return Status();
}

Status PrivateMounts::Receive(CommandReport* report, bool* received, UniqueFd* device) {
  const ssize_t length = ReceiveDescriptor(socket_.get(), report, sizeof *report, device);
  // ECONNRESET: it ended without having read all.
  if (length < 0 && errno != ECONNRESET) {
    return Status::FromErrno("cannot hear the command's process", plan_.command[0], errno);
  }
  *received = length == static_cast<ssize_t>(sizeof *report);
  return Status();
}

Status PrivateMounts::Explain(const CommandReport& report) const {
  using Step = CommandReport::Step;
  const std::string directory = report.mount < plan_.mounts.size() ? plan_.mounts[report.mount].directory : "";
  switch (report.step) {
    case Step::kMounted:
    case Step::kReady:
      return Status();
    case Step::kNamespaces:
      return ExplainForbiddenNamespaces(report.error);
    case Step::kIdentity:
      // Ubuntu makes the namespace, but gives no rights in it.
      if (report.error == EPERM || report.error == EACCES) return ExplainForbiddenNamespaces(report.error);
      return Status::FromErrno("cannot map the user into a namespace", "/proc/self/uid_map", report.error);
    case Step::kPropagation:
      if (report.error != EINVAL) return Status::FromErrno("cannot make mounts private", "/", report.error);
      return Status(Code::kUnsupported,
                    "expected the root directory to be a mount point, found the directory of a chroot; bind-mount it "
                    "onto itself before chroot, or use shoal extract instead")
          .At("/");
    case Step::kParentDeath:
      return Status::FromErrno("cannot tie the command to this process", "", report.error);
    case Step::kDevice:
      return Status::FromErrno("cannot open", "/dev/fuse", report.error);
    case Step::kMount:
      return ExplainMount(report.error, directory);
    case Step::kRead:
      if (report.error != EACCES)
        return Status::FromErrno("cannot read the mounted root directory", directory, report.error);
      return Status(Code::kPermission,
                    "the image's root directory may not be read by this user; -o uid=$(id -u) makes its owner of you")
          .At(directory);
    case Step::kWorkingDirectory:
      return Status(Code::kUsage,
                    "the working directory is hidden by an image that has no such directory; change to another one, or "
                    "name another directory to mount on, as IMAGE:DIR")
          .At(plan_.working_directory);
    case Step::kCommand:
      return ExplainCommand(report.error, plan_.command[0]);
  }
  return Status(Code::kInternal, "expected a step of the command's process, found another number");
}

void EndAs(const ProcessEnd& end) {
  if (end.signal != 0) {
    // If a core was to be dumped, the command has dumped its own.
    prctl(PR_SET_DUMPABLE, 0);
    struct sigaction standard {};
    standard.sa_handler = SIG_DFL;
    sigaction(end.signal, &standard, nullptr);
    sigset_t only;
    sigemptyset(&only);
    sigaddset(&only, end.signal);
    pthread_sigmask(SIG_UNBLOCK, &only, nullptr);
    kill(getpid(), end.signal);
    // It kills no process that is the first of a container.
    _exit(kSignalStatus + end.signal);
  }
  _exit(end.status);
}

}  // namespace shoal::fuse
