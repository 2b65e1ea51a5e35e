// Preloaded into a process (LD_PRELOAD, ld.so(8)): fails, or kills the process at, the call number SHOAL_FAIL_AT of
// those that change what lies below the directory SHOAL_FAIL_BELOW: open with O_CREAT, write, truncate, sync, rename,
// link, unlink, mkdir, rmdir.
//
//   SHOAL_FAIL_WITH=kill   SIGKILL before the call
//                   torn   half of what is to be written is written, then SIGKILL; calls that write nothing: after the
//                   call EIO    this call fails; later ones do not ENOSPC, EDQUOT   this call and all later ones fail
//                   that need space: open, write, truncate, rename, link, mkdir
//   SHOAL_FAIL_LOG=FILE    one line for each such call, in order
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

namespace {

// The C library's syscall(2), which this file has one of its own of.
using Syscall = long (*)(long, ...);
Syscall Find() { return reinterpret_cast<Syscall>(dlsym(RTLD_NEXT, "syscall")); }
const Syscall raw = Find();

std::atomic<long> calls{0};

struct Plan {
  long at = std::getenv("SHOAL_FAIL_AT") != nullptr ? std::atol(std::getenv("SHOAL_FAIL_AT")) : 0;
  std::string with = std::getenv("SHOAL_FAIL_WITH") != nullptr ? std::getenv("SHOAL_FAIL_WITH") : "";
  std::string below = std::getenv("SHOAL_FAIL_BELOW") != nullptr ? std::getenv("SHOAL_FAIL_BELOW") : "\n";
  const char* log = std::getenv("SHOAL_FAIL_LOG");
};

const Plan& ThePlan() {
  static const Plan plan;
  return plan;
}

std::string LinkOf(int fd) {
  char link[32], path[PATH_MAX];
  std::snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  const ssize_t length = readlink(link, path, sizeof path);
  return length < 0 ? std::string() : std::string(path, static_cast<size_t>(length));
}

bool IsBelow(const std::string& path) {
  const std::string& below = ThePlan().below;
  return path.compare(0, below.size(), below) == 0;
}

// The directory of a name that a call was given.
std::string DirectoryOf(int directory, const char* path) {
  const std::string name(path);
  const size_t slash = name.find_last_of('/');
  const std::string parent = slash == std::string::npos ? "." : name.substr(0, slash + 1);
  const int fd = static_cast<int>(raw(SYS_openat, directory, parent.c_str(), O_PATH | O_CLOEXEC, 0));
  if (fd < 0) return std::string();
  std::string found = LinkOf(fd);
  raw(SYS_close, fd);
  return found + "/";
}

enum class Kind { kSpace, kOther };

// What is to happen with the call: 0: nothing, else an errno; or the process dies. *torn: half of it, then Die.
int Judge(const char* call, Kind kind, bool* torn = nullptr) {
  const Plan& plan = ThePlan();
  const long number = ++calls;
  if (plan.log != nullptr) {
    const int fd =
        static_cast<int>(raw(SYS_openat, AT_FDCWD, plan.log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
    const std::string line = std::string(call) + "\n";
    raw(SYS_write, fd, line.data(), line.size());
    raw(SYS_close, fd);
  }
  if (plan.at == 0 || number < plan.at) return 0;
  const bool is_it = number == plan.at;
  if (plan.with == "kill" && is_it) raw(SYS_kill, getpid(), SIGKILL);
  if (plan.with == "torn" && is_it) {
    if (torn != nullptr) *torn = true;
    return 0;
  }
  if (plan.with == "EIO") return is_it ? EIO : 0;
  if (plan.with == "ENOSPC" || plan.with == "EDQUOT") {
    return kind == Kind::kSpace ? (plan.with == "EDQUOT" ? EDQUOT : ENOSPC) : 0;
  }
  return 0;
}

template <typename Result>
Result After(Result result, bool torn) {
  if (torn) raw(SYS_kill, getpid(), SIGKILL);
  return result;
}

// Calls that change a name.
template <typename Call>
int Named(const char* call, Kind kind, int directory, const char* path, const Call& real) {
  bool torn = false;
  if (IsBelow(DirectoryOf(directory, path))) {
    const int error = Judge(call, kind, &torn);
    if (error != 0) {
      errno = error;
      return -1;
    }
  }
  return After(real(), torn);
}

// Calls on a descriptor. real(torn)
template <typename Call>
auto Opened(const char* call, Kind kind, int fd, const Call& real) -> decltype(real(false)) {
  bool torn = false;
  if (IsBelow(LinkOf(fd))) {
    const int error = Judge(call, kind, &torn);
    if (error != 0) {
      errno = error;
      return -1;
    }
  }
  return After(real(torn), torn);
}

int Open(int directory, const char* path, int flags, mode_t mode) {
  auto real = [=] { return static_cast<int>(raw(SYS_openat, directory, path, flags | O_LARGEFILE, mode)); };
  return (flags & O_CREAT) == 0 ? real() : Named("open", Kind::kSpace, directory, path, real);
}

mode_t ModeOf(int flags, va_list arguments) {
  return (flags & (O_CREAT | O_TMPFILE)) != 0 ? static_cast<mode_t>(va_arg(arguments, int)) : 0;
}

}  // namespace

extern "C" {

#define OPENS(name, ...)                        \
  va_list arguments;                            \
  va_start(arguments, flags);                   \
  const mode_t mode = ModeOf(flags, arguments); \
  va_end(arguments);                            \
  return Open(__VA_ARGS__, path, flags, mode)

int open(const char* path, int flags, ...) { OPENS(open, AT_FDCWD); }
int open64(const char* path, int flags, ...) { OPENS(open64, AT_FDCWD); }
int openat(int directory, const char* path, int flags, ...) { OPENS(openat, directory); }
int openat64(int directory, const char* path, int flags, ...) { OPENS(openat64, directory); }

ssize_t write(int fd, const void* from, size_t size) {
  return Opened("write", Kind::kSpace, fd, [=](bool torn) { return raw(SYS_write, fd, from, torn ? size / 2 : size); });
}
ssize_t pwrite(int fd, const void* from, size_t size, off_t offset) {
  return Opened("pwrite", Kind::kSpace, fd,
                [=](bool torn) { return raw(SYS_pwrite64, fd, from, torn ? size / 2 : size, offset); });
}
ssize_t pwrite64(int fd, const void* from, size_t size, off64_t offset) { return pwrite(fd, from, size, offset); }
ssize_t writev(int fd, const struct iovec* parts, int count) {
  return Opened("writev", Kind::kSpace, fd, [=](bool) { return raw(SYS_writev, fd, parts, count); });
}
ssize_t pwritev(int fd, const struct iovec* parts, int count, off_t offset) {
  return Opened("pwritev", Kind::kSpace, fd, [=](bool) { return raw(SYS_pwritev, fd, parts, count, offset, 0L); });
}
ssize_t pwritev64(int fd, const struct iovec* parts, int count, off64_t offset) {
  return pwritev(fd, parts, count, offset);
}
int ftruncate(int fd, off_t length) {
  return Opened("ftruncate", Kind::kSpace, fd, [=](bool) { return static_cast<int>(raw(SYS_ftruncate, fd, length)); });
}
int ftruncate64(int fd, off64_t length) { return ftruncate(fd, length); }
int fsync(int fd) {
  return Opened("fsync", Kind::kOther, fd, [=](bool) { return static_cast<int>(raw(SYS_fsync, fd)); });
}
int fdatasync(int fd) {
  return Opened("fdatasync", Kind::kOther, fd, [=](bool) { return static_cast<int>(raw(SYS_fdatasync, fd)); });
}
int renameat(int from_directory, const char* from, int to_directory, const char* to) {
  return Named("rename", Kind::kSpace, to_directory, to,
               [=] { return static_cast<int>(raw(SYS_renameat2, from_directory, from, to_directory, to, 0)); });
}
int rename(const char* from, const char* to) { return renameat(AT_FDCWD, from, AT_FDCWD, to); }
int linkat(int from_directory, const char* from, int to_directory, const char* to, int flags) {
  return Named("link", Kind::kSpace, to_directory, to,
               [=] { return static_cast<int>(raw(SYS_linkat, from_directory, from, to_directory, to, flags)); });
}
int link(const char* from, const char* to) { return linkat(AT_FDCWD, from, AT_FDCWD, to, 0); }
int unlinkat(int directory, const char* path, int flags) {
  return Named(flags == AT_REMOVEDIR ? "rmdir" : "unlink", Kind::kOther, directory, path,
               [=] { return static_cast<int>(raw(SYS_unlinkat, directory, path, flags)); });
}
int unlink(const char* path) { return unlinkat(AT_FDCWD, path, 0); }
int rmdir(const char* path) { return unlinkat(AT_FDCWD, path, AT_REMOVEDIR); }
int mkdirat(int directory, const char* path, mode_t mode) {
  return Named("mkdir", Kind::kSpace, directory, path,
               [=] { return static_cast<int>(raw(SYS_mkdirat, directory, path, mode)); });
}
int mkdir(const char* path, mode_t mode) { return mkdirat(AT_FDCWD, path, mode); }

// renameat2 has no function of its own in older C libraries.
long syscall(long number, ...) {
  va_list list;
  va_start(list, number);
  long a[6];
  for (long& argument : a) argument = va_arg(list, long);
  va_end(list);
  auto real = [&] { return raw(number, a[0], a[1], a[2], a[3], a[4], a[5]); };
  if (number != SYS_renameat2) return real();
  return Named("rename", Kind::kSpace, static_cast<int>(a[2]), reinterpret_cast<const char*>(a[3]),
               [&] { return static_cast<int>(real()); });
}

}  // extern "C"
