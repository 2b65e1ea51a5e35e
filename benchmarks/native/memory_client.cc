// How much memory a command takes: runs it and waits for its end, then prints one line of JSON.
//
//   memory_client COMMAND...
//
// `peak` is the most bytes that were resident at one time, of the command's process alone. Its output goes nowhere, its
// errors where those of this program go. Where it does not end with status 0, this ends with status 1.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace {

[[noreturn]] void Run(char** command) {
  const int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
  if (nowhere >= 0) dup2(nowhere, STDOUT_FILENO);
  execvp(command[0], command);
  std::fprintf(stderr, "memory_client: cannot start %s: %s\n", command[0], std::strerror(errno));
  _exit(127);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fputs("usage: memory_client COMMAND...\n", stderr);
    return 2;
  }
  const pid_t child = fork();
  if (child == 0) Run(argv + 1);
  int status = 0;
  // A process starts with the peak of the one that it was forked from: of this program, and not of what called it.
  rusage usage{};
  if (child < 0 || wait4(child, &status, 0, &usage) < 0) {
    std::fprintf(stderr, "memory_client: cannot run %s: %s\n", argv[1], std::strerror(errno));
    return 1;
  }
  if (status != 0) {
    std::fprintf(stderr, "memory_client: %s ended with wait status %d\n", argv[1], status);
    return 1;
  }
  std::printf("{\"peak\":%lld}\n", static_cast<long long>(usage.ru_maxrss) * 1024);
  return 0;
}
