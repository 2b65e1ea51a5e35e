// How much memory a command takes: runs it and waits for its end, then prints one line of JSON.
//
//   memory_client COMMAND...
//
// `peak` is the most bytes that were resident at one time, of the command's process alone. `private` is the same
// without pages of files that it mapped, which are the kernel's: it looks every few milliseconds, so that what is there
// for less may be missed. The command's output goes nowhere, its errors where those of this program go. Where it does
// not end with status 0, this ends with status 1.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>

namespace {

constexpr long kInterval = 5'000'000;  // ns

[[noreturn]] void Run(char** command) {
  const int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
  if (nowhere >= 0) dup2(nowhere, STDOUT_FILENO);
  execvp(command[0], command);
  std::fprintf(stderr, "memory_client: cannot start %s: %s\n", command[0], std::strerror(errno));
  _exit(127);
}

// Bytes of a field of proc(5) status; 0 where there is none, as when the process has ended.
long long FieldOf(const std::string& status, const char* name) {
  const size_t at = status.find(name);
  return at == std::string::npos ? 0 : std::atoll(status.c_str() + at + std::strlen(name)) * 1024;
}

long long PrivateOf(const std::string& path) {
  char text[4096];
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  const ssize_t length = read(fd, text, sizeof text);
  close(fd);
  const std::string status(text, length > 0 ? static_cast<size_t>(length) : 0);
  return FieldOf(status, "\nRssAnon:") + FieldOf(status, "\nRssShmem:");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fputs("usage: memory_client COMMAND...\n", stderr);
    return 2;
  }
  const pid_t child = fork();
  if (child == 0) Run(argv + 1);
  const std::string path = "/proc/" + std::to_string(child) + "/status";
  int status = 0;
  // A process starts with the peak of the one that it was forked from: of this program, and not of what called it.
  rusage usage{};
  long long most = 0;
  pid_t ended = child < 0 ? -1 : 0;
  while (ended == 0) {
    most = std::max(most, PrivateOf(path));
    const timespec pause{0, kInterval};
    nanosleep(&pause, nullptr);
    ended = wait4(child, &status, WNOHANG, &usage);
  }
  if (ended < 0) {
    std::fprintf(stderr, "memory_client: cannot run %s: %s\n", argv[1], std::strerror(errno));
    return 1;
  }
  if (status != 0) {
    std::fprintf(stderr, "memory_client: %s ended with wait status %d\n", argv[1], status);
    return 1;
  }
  std::printf("{\"peak\":%lld,\"private\":%lld}\n", static_cast<long long>(usage.ru_maxrss) * 1024, most);
  return 0;
}
