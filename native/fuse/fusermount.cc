#include "fuse/fusermount.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "fuse/receive_descriptor.h"

extern char** environ;

namespace shoal::fuse {
namespace {

constexpr const char* kHelpers[] = {"fusermount3", "fusermount"};

// The descriptor that the helper finds its socket at, told by _FUSE_COMMFD.
constexpr int kHelperSocket = 3;

// Above all that dup2 puts in place in the child, so that no dup2 is onto itself and each clears close-on-exec.
constexpr int kOutOfTheWay = 10;

constexpr size_t kMaxWords = 4096;

struct Outcome {
  bool found = false;
  int status = 0;  // as waitpid tells it
  std::string words;
};

Status MoveUp(UniqueFd* fd) {
  const int moved = fcntl(fd->get(), F_DUPFD_CLOEXEC, kOutOfTheWay);
  if (moved < 0) return Status::FromErrno("cannot duplicate a descriptor", "", errno);
  fd->reset(moved);
  return Status();
}

std::vector<char*> Pointers(std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (std::string& string : strings) pointers.push_back(&string[0]);
  pointers.push_back(nullptr);
  return pointers;
}

// The environment with _FUSE_COMMFD, and in English: the words are matched below.
std::vector<std::string> HelperEnvironment() {
  std::vector<std::string> strings;
  for (char** variable = environ; *variable != nullptr; variable++) {
    const bool replaced = std::strncmp(*variable, "_FUSE_COMMFD=", 13) == 0 || std::strncmp(*variable, "LC_", 3) == 0;
    if (!replaced) strings.emplace_back(*variable);
  }
  strings.push_back("_FUSE_COMMFD=" + std::to_string(kHelperSocket));
  strings.push_back("LC_ALL=C");
  return strings;
}

int Spawn(const char* helper, char* const* arguments, char* const* variables, int socket, int words, pid_t* pid) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  posix_spawn_file_actions_adddup2(&actions, words, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, words, STDERR_FILENO);
  if (socket >= 0) posix_spawn_file_actions_adddup2(&actions, socket, kHelperSocket);
  sigset_t none;
  sigset_t reset;
  sigemptyset(&none);
  sigemptyset(&reset);
  sigaddset(&reset, SIGPIPE);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &reset);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  const int error = posix_spawnp(pid, helper, &actions, &attributes, arguments, variables);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return error;
}

std::string ReadWords(int fd) {
  std::string words;
  char buffer[512];
  for (;;) {
    const ssize_t length = read(fd, buffer, sizeof buffer);
    if (length < 0 && errno == EINTR) continue;
    if (length <= 0) break;
    if (words.size() < kMaxWords) words.append(buffer, static_cast<size_t>(length));
  }
  while (!words.empty() && (words.back() == '\n' || words.back() == ' ')) words.pop_back();
  return words;
}

// Runs the first helper that is installed, with `socket` (or -1) as its way back, and waits for it.
Status Run(const std::vector<std::string>& arguments, UniqueFd socket, Outcome* outcome) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return Status::FromErrno("cannot make a pipe", "", errno);
  UniqueFd from(ends[0]);
  UniqueFd to(ends[1]);
  SHOAL_RETURN_IF_ERROR(MoveUp(&to));
  if (socket.valid()) SHOAL_RETURN_IF_ERROR(MoveUp(&socket));

  std::vector<std::string> variables = HelperEnvironment();
  std::vector<char*> variable_pointers = Pointers(variables);
  for (const char* helper : kHelpers) {
    std::vector<std::string> strings = arguments;
    strings.insert(strings.begin(), helper);
    pid_t pid = 0;
    const int error = Spawn(helper, Pointers(strings).data(), variable_pointers.data(), socket.get(), to.get(), &pid);
    // EACCES also where a directory of PATH may not be searched, as one left over from another user.
    if (error == ENOENT || error == EACCES) continue;
    if (error != 0) return Status::FromErrno("cannot run", helper, error);
    outcome->found = true;
    to.reset();
    socket.reset();
    outcome->words = ReadWords(from.get());
    while (waitpid(pid, &outcome->status, 0) < 0 && errno == EINTR) {
    }
    return Status();
  }
  return Status();
}

Status NotInstalled() {
  return Status(
      Code::kUnsupported,
      "expected fusermount3, which mounts for users without privileges, found none in PATH; install the package fuse3, "
      "run as root, or in a namespace of your own: unshare -Urm");
}

// What the helper said, and what helps.
Status Explain(const std::string& said, const std::string& directory) {
  // Without the directory, whose name may hold any of the words below.
  std::string words = said;
  for (size_t at; (at = words.find(directory)) != std::string::npos;) words.erase(at, directory.size());
  struct Known {
    const char* words;
    Code code;
    const char* cure;
  };
  static constexpr Known kKnown[] = {
      {"/etc/mtab", Code::kUnsupported, "as root run ln -s /proc/self/mounts /etc/mtab"},
      {"user_allow_other", Code::kPermission,
       "ask an administrator to put a line user_allow_other into /etc/fuse.conf, or mount without allow_other"},
      {"is forbidden", Code::kPermission, "mount on a directory of a local filesystem, such as one made by mktemp -d"},
      {"write access", Code::kPermission, "mount on a directory that you own"},
      {"not owned by", Code::kPermission, "mount on a directory that you own"},
      {"device not found", Code::kUnsupported, "as root run modprobe fuse; in a container pass --device /dev/fuse"},
      {"failed to open /dev/fuse", Code::kPermission,
       "as root run chmod 666 /dev/fuse; in a container pass --device /dev/fuse"},
      {"busy", Code::kBusy, "end the programs that use it (fuser -vm shows them), or unmount with --lazy"},
      {"not found in", Code::kMissing, "it is not mounted"},
      {"not mounted", Code::kMissing, "it is not mounted"},
      {"Operation not permitted", Code::kPermission,
       "the kernel or a container forbids mounting here; try it in a namespace of your own (unshare -Urm), or use "
       "shoal "
       "extract instead"},
  };
  for (const Known& known : kKnown) {
    if (words.find(known.words) == std::string::npos) continue;
    return Status(known.code, said + "; " + known.cure).At(directory);
  }
  return Status(Code::kIo, said.empty() ? "fusermount3 failed without a word" : said).At(directory);
}

bool Succeeded(const Outcome& outcome) { return WIFEXITED(outcome.status) && WEXITSTATUS(outcome.status) == 0; }

}  // namespace

Status FusermountMount(const std::string& options, const std::string& directory, UniqueFd* device) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
    return Status::FromErrno("cannot make a socket", "", errno);
  }
  UniqueFd ours(ends[0]);
  Outcome outcome;
  SHOAL_RETURN_IF_ERROR(Run({"-o", options, "--", directory}, UniqueFd(ends[1]), &outcome));
  if (!outcome.found) return NotInstalled();
  if (!Succeeded(outcome)) return Explain(outcome.words, directory);
  char byte = 0;
  ReceiveDescriptor(ours.get(), &byte, sizeof byte, device);
  return device->valid() ? Status() : Status(Code::kIo, "expected the FUSE descriptor from fusermount3, found none");
}

Status FusermountUnmount(const std::string& directory, bool lazy) {
  std::vector<std::string> arguments = {"-u"};
  if (lazy) arguments.push_back("-z");
  arguments.insert(arguments.end(), {"--", directory});
  Outcome outcome;
  SHOAL_RETURN_IF_ERROR(Run(arguments, UniqueFd(), &outcome));
  if (!outcome.found) return NotInstalled();
  return Succeeded(outcome) ? Status() : Explain(outcome.words, directory);
}

std::string EscapeOption(const std::string& value) {
  std::string escaped;
  for (char c : value) {
    if (c == ',' || c == '\\') escaped += '\\';
    escaped += c;
  }
  return escaped;
}

}  // namespace shoal::fuse
