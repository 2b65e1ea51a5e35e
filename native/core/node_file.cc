#include "core/node_file.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "core/storage.h"

namespace shoal {
namespace {

// A file may vanish, or appear, between two steps of opening it; each time it is begun anew.
constexpr int kMaxAttempts = 100;
// An exclusive lock is held for as long as unlink(2) takes.
constexpr int kMaxLockAttempts = 1000;
constexpr long kLockPauseNanoseconds = 1000 * 1000;
// Users of user namespaces may be of one number here and of different ones outside: who finds the directory taken by
// another one uses the next.
constexpr int kDirectories = 8;
// Of files that were made here: nothing else is taken away, should the directory be somebody's for another purpose.
constexpr char kPrefix[] = "shoal-copy-";
// Who a user is that a user namespace does not know (/proc/sys/kernel/overflowuid): perhaps many different ones.
constexpr uid_t kOverflowUser = 65534;
// Of the room that is free, others keep this part: programs use /dev/shm too, and in containers it is often small.
constexpr uint64_t kRoomDivisor = 2;

// Where files may lie, the best first.
std::vector<std::string> Places() {
  const auto variable = [](const char* name) {
    const char* value = std::getenv(name);
    return std::string(value == nullptr ? "" : value);
  };
  const std::string chosen = variable("SHOAL_NODE_DIR");
  if (!chosen.empty()) return {chosen};
  const std::string temporary = variable("TMPDIR");
  return {"/dev/shm", variable("XDG_RUNTIME_DIR"), temporary.empty() ? "/tmp" : temporary};
}

// Whether a file of this type belongs to this user, and nobody else may do anything with it.
bool IsPrivate(const struct stat& info, mode_t type) {
  return info.st_uid == geteuid() && (info.st_mode & (S_IFMT | S_IRWXG | S_IRWXO)) == type;
}

bool LockShared(int fd) {
  for (int attempt = 0; attempt < kMaxLockAttempts; attempt++) {
    if (flock(fd, LOCK_SH | LOCK_NB) == 0) return true;
    if (errno != EWOULDBLOCK) return false;
    const timespec pause = {0, kLockPauseNanoseconds};
    nanosleep(&pause, nullptr);
  }
  return false;
}

bool HasRoom(int directory, uint64_t length) {
  struct statvfs info;
  if (fstatvfs(directory, &info) != 0) return false;
  const bool unlimited = info.f_blocks == 0;  // tmpfs with size=0
  return unlimited || uint64_t{info.f_bavail} * info.f_frsize / kRoomDivisor >= length;
}

bool IsNamed(int directory, const char* name, int fd) {
  struct stat open_file;
  struct stat named;
  return fstat(fd, &open_file) == 0 && fstatat(directory, name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
         open_file.st_dev == named.st_dev && open_file.st_ino == named.st_ino;
}

// Removes the file `name`, which is open as `fd`, unless somebody else has it open, too. Gives up the lock on it.
bool TakeAwayUnheld(int directory, const char* name, int fd) {
  return flock(fd, LOCK_EX | LOCK_NB) == 0 && IsNamed(directory, name, fd) && unlinkat(directory, name, 0) == 0;
}

// Removes what has the name and is no regular file; a link by itself, not what it names.
bool TakeAwayForeign(int directory, const char* name) {
  struct stat info;
  if (fstatat(directory, name, &info, AT_SYMLINK_NOFOLLOW) != 0) return errno == ENOENT;
  if (S_ISREG(info.st_mode)) return false;
  return unlinkat(directory, name, S_ISDIR(info.st_mode) ? AT_REMOVEDIR : 0) == 0;
}

}  // namespace

// The shared files that this process has open. A server may end by exit(3) while its threads still use them.
class OpenNodeFiles {
 public:
  static OpenNodeFiles& Get() {
    static auto* const files = new OpenNodeFiles();  // for the sake of exit(3) never destroyed
    return *files;
  }

  void Add(const NodeFile* file) {
    std::lock_guard<std::mutex> lock(mutex_);
    files_.push_back(file);
    if (!std::exchange(watching_exit_, true)) std::atexit([] { Get().TakeAwayAll(); });
  }

  void Remove(const NodeFile* file) {
    std::lock_guard<std::mutex> lock(mutex_);
    const auto found = std::find(files_.begin(), files_.end(), file);
    if (found == files_.end()) return;  // at exit
    files_.erase(found);
    file->TakeAwayIfLast();
  }

 private:
  void TakeAwayAll() {
    std::lock_guard<std::mutex> lock(mutex_);
    for (const NodeFile* file : files_) file->TakeAwayIfLast();
    files_.clear();
  }

  std::mutex mutex_;
  std::vector<const NodeFile*> files_;
  bool watching_exit_ = false;
};

Status NodeFile::Open(const std::string& name, uint64_t length, NodeFile* out) {
  // Beyond this limit ftruncate(2) would end the process with SIGXFSZ.
  struct rlimit limit;
  if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur < length) {
    return Status(Code::kUnsupported, "expected files of " + std::to_string(length) +
                                          " bytes to be allowed, found a limit of " + std::to_string(limit.rlim_cur));
  }
  if (geteuid() != kOverflowUser) {
    out->name_ = kPrefix + name;
    for (const std::string& place : Places()) {
      if (!place.empty() && place[0] == '/' && out->OpenIn(place, length)) {
        OpenNodeFiles::Get().Add(out);
        out->TakeAwayOthers();
        return Status();
      }
    }
    out->name_.clear();
  }
  out->fd_.reset(memfd_create("shoal index", MFD_CLOEXEC));
  if (out->fd() >= 0 && ftruncate(out->fd(), static_cast<off_t>(length)) == 0) return Status();
  return Status::FromErrno("cannot make a file in memory", "", errno);
}

NodeFile::~NodeFile() {
  if (is_shared()) OpenNodeFiles::Get().Remove(this);
}

// Of several that close at the same time each gives up its shared lock first, so the last one gets the exclusive one.
void NodeFile::TakeAwayIfLast() const {
  if (TakeAwayUnheld(directory_.get(), name_.c_str(), fd())) TakeAwayDirectory();
}

bool NodeFile::OpenIn(const std::string& place, uint64_t length) {
  place_.reset(open(place.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!place_.valid() || KindOfStorage(place_.get()) != StorageKind::kLocal) return false;
  for (int attempt = 0; attempt < kMaxAttempts; attempt++) {
    if (!OpenDirectory()) return false;
    const Attempt ended = OpenNamed(length);
    if (ended == Attempt::kOpened) return true;
    if (ended == Attempt::kUnusable) break;
  }
  TakeAwayDirectory();
  return false;
}

// The user's directory in a place where everybody may have made one of its name.
bool NodeFile::OpenDirectory() {
  for (int i = 0; i < kDirectories; i++) {
    directory_name_ = "shoal-" + std::to_string(geteuid()) + (i == 0 ? "" : "." + std::to_string(i));
    if (mkdirat(place_.get(), directory_name_.c_str(), S_IRWXU) != 0 && errno != EEXIST) return false;
    directory_.reset(openat(place_.get(), directory_name_.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    struct stat info;
    if (directory_.valid() && fstat(directory_.get(), &info) == 0 && IsPrivate(info, S_IFDIR)) return true;
  }
  return false;
}

NodeFile::Attempt NodeFile::OpenNamed(uint64_t length) {
  const int directory = directory_.get();
  struct stat info;
  UniqueFd fd(openat(directory, name_.c_str(), O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!fd.valid() && errno == ENOENT) return Make(length);
  if (!fd.valid() || fstat(fd.get(), &info) != 0 || !S_ISREG(info.st_mode)) {
    return TakeAwayForeign(directory, name_.c_str()) ? Attempt::kAgain : Attempt::kUnusable;
  }
  if (!LockShared(fd.get())) return Attempt::kUnusable;
  if (!IsNamed(directory, name_.c_str(), fd.get())) return Attempt::kAgain;  // the last one to close it was faster
  if (fstat(fd.get(), &info) == 0 && IsPrivate(info, S_IFREG) && info.st_nlink == 1 &&
      info.st_size == static_cast<off_t>(length)) {
    fd_ = std::move(fd);
    return Attempt::kOpened;
  }
  return TakeAwayUnheld(directory, name_.c_str(), fd.get()) ? Attempt::kAgain : Attempt::kUnusable;
}

// The file gets its name when it has its length and its lock, so that nobody finds it without; a crash before leaves
// nothing.
NodeFile::Attempt NodeFile::Make(uint64_t length) {
  if (!HasRoom(directory_.get(), length)) return Attempt::kUnusable;
  UniqueFd fd(openat(directory_.get(), ".", O_TMPFILE | O_RDWR | O_CLOEXEC, S_IRUSR | S_IWUSR));
  if (!fd.valid()) return errno == ENOENT ? Attempt::kAgain : Attempt::kUnusable;  // the directory is gone
  if (ftruncate(fd.get(), static_cast<off_t>(length)) != 0 || flock(fd.get(), LOCK_SH | LOCK_NB) != 0) {
    return Attempt::kUnusable;
  }
  const std::string link = "/proc/self/fd/" + std::to_string(fd.get());
  if (linkat(AT_FDCWD, link.c_str(), directory_.get(), name_.c_str(), AT_SYMLINK_FOLLOW) != 0) {
    return errno == EEXIST || errno == ENOENT ? Attempt::kAgain : Attempt::kUnusable;
  }
  fd_ = std::move(fd);
  return Attempt::kOpened;
}

// Where it is empty.
void NodeFile::TakeAwayDirectory() const { unlinkat(place_.get(), directory_name_.c_str(), AT_REMOVEDIR); }

// What others left that were killed.
void NodeFile::TakeAwayOthers() const {
  UniqueFd again(openat(directory_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const std::unique_ptr<DIR, int (*)(DIR*)> names(again.valid() ? fdopendir(again.get()) : nullptr, closedir);
  if (names == nullptr) return;
  again.release();
  while (const dirent* found = readdir(names.get())) {
    if (found->d_name == name_ || std::strncmp(found->d_name, kPrefix, std::strlen(kPrefix)) != 0) continue;
    const UniqueFd other(openat(directory_.get(), found->d_name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    struct stat info;
    if (other.valid() && fstat(other.get(), &info) == 0 && S_ISREG(info.st_mode)) {
      TakeAwayUnheld(directory_.get(), found->d_name, other.get());
    }
  }
}

}  // namespace shoal
