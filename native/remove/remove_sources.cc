#include "remove/remove_sources.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <mutex>
#include <string>
#include <utility>

#include "core/growing_threads.h"
#include "pack/file_reader.h"

namespace shoal {
namespace {

// Entries that a thread takes at once: enough of one directory to open it seldom, and so few that many threads have
// some.
constexpr uint32_t kRange = 32;
constexpr size_t kMaxName = 255;

Status Changed(const char* what) { return Status(Code::kChanged, what); }

// Whoever opens a file on which this process holds a lease lets the kernel send it SIGIO, which would end it.
class IgnoreSigio {
 public:
  IgnoreSigio() {
    struct sigaction ignore = {};
    ignore.sa_handler = SIG_IGN;
    sigaction(SIGIO, &ignore, &before_);
  }
  ~IgnoreSigio() { sigaction(SIGIO, &before_, nullptr); }
  IgnoreSigio(const IgnoreSigio&) = delete;
  IgnoreSigio& operator=(const IgnoreSigio&) = delete;

 private:
  struct sigaction before_ = {};
};

// What the threads share.
class Remover {
 public:
  Remover(const SourceComparison& comparison, unsigned jobs, Progress* progress)
      : comparison_(comparison), catalogue_(comparison.catalogue()), jobs_(jobs), progress_(*progress) {}

  Status Run(std::vector<Kept> kept, RemovedSources* out);

 private:
  friend class RemoverThread;

  void FindFurtherNames();
  Status RemoveDirectories();
  // Calls work(thread) on several of them, who take the entries from `first` to before `end` from next_.
  template <typename Work>
  Status OnThreads(uint64_t first, uint64_t end, const Work& work);
  void Keep(uint32_t entry, const Status& status);
  bool Stopped() const { return progress_.cancel.load(std::memory_order_relaxed) != 0; }

  const SourceComparison& comparison_;
  const PackCatalogue& catalogue_;
  const unsigned jobs_;
  Progress& progress_;
  std::vector<std::pair<uint32_t, uint32_t>> further_names_;  // file, alias of it; sorted
  std::atomic<uint64_t> next_{0};
  std::atomic<uint64_t> entries_{0};
  std::atomic<uint64_t> inodes_{0};
  std::atomic<uint64_t> bytes_{0};

  std::mutex mutex_;
  std::vector<Kept> kept_;
  std::vector<uint32_t> not_empty_;
  // By entry: a directory with something in it that was told of, so that its own staying needs no explanation.
  std::vector<uint8_t> explained_;
};

class RemoverThread {
 public:
  RemoverThread(Remover* remover, GrowingThreads* threads, unsigned worker)
      : remover_(*remover),
        catalogue_(remover->catalogue_),
        threads_(*threads),
        worker_(worker),
        reader_(&remover->catalogue_, threads->DirectoryCapacity(worker)) {}

  void RemoveFiles();
  // Those before `end`, from Remover::next_ on, that are directories.
  void RemoveDirectories(uint32_t end);

 private:
  void RemoveNames(uint32_t entry);
  // What is to be removed: open where it is a regular file, and then not to be opened for writing by anybody.
  struct Target {
    UniqueFd fd;
    bool has_lease = false;
    struct stat status;

    bool IsBeingOpened() const { return has_lease && fcntl(fd.get(), F_GETLEASE) != F_RDLCK; }
  };
  Status OpenChecked(uint32_t entry, Target* target);
  Status RemoveName(uint32_t name, const Target& target);
  bool PutBack(int directory, const std::string& aside);
  Status RemoveDirectory(uint32_t entry);
  void Count(uint64_t bytes, bool is_last_name);

  Remover& remover_;
  const PackCatalogue& catalogue_;
  GrowingThreads& threads_;
  const unsigned worker_;
  FileReader reader_;
};

bool IsSameFile(const struct stat& a, const struct stat& b) {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino && a.st_mode == b.st_mode && a.st_size == b.st_size &&
         a.st_mtim.tv_sec == b.st_mtim.tv_sec && a.st_mtim.tv_nsec == b.st_mtim.tv_nsec;
}

// `.shoal-removed.NAME` in the same directory; empty where that is too long for a name. One that a killed run has set
// aside is so already.
std::string AsideName(const std::string& path) {
  const size_t slash = path.find_last_of('/');
  const size_t begin = slash == std::string::npos ? 0 : slash + 1;
  if (path.compare(begin, kSetAside.size(), kSetAside) == 0) return path;
  if (path.size() - begin + kSetAside.size() > kMaxName) return std::string();
  return path.substr(0, begin).append(kSetAside).append(path, begin, std::string::npos);
}

// Does not replace what stands at `to`. Older kernels and some filesystems cannot say so in one step.
int RenameToFree(int directory, const std::string& from, const std::string& to) {
  constexpr unsigned kNoReplace = 1;  // RENAME_NOREPLACE, renameat2(2)
  if (syscall(SYS_renameat2, directory, from.c_str(), directory, to.c_str(), kNoReplace) == 0) return 0;
  if (errno != ENOSYS && errno != EINVAL) return -1;
  struct stat there;
  if (fstatat(directory, to.c_str(), &there, AT_SYMLINK_NOFOLLOW) == 0) {
    errno = EEXIST;
    return -1;
  }
  return renameat(directory, from.c_str(), directory, to.c_str());
}

Status Remover::Run(std::vector<Kept> kept, RemovedSources* out) {
  const IgnoreSigio ignore;
  progress_.entries_total = catalogue_.size();
  explained_.assign(catalogue_.size(), 0);
  for (Kept& item : kept) Keep(item.entry, Status(item.code, std::move(item.message)));
  FindFurtherNames();
  SHOAL_RETURN_IF_ERROR(OnThreads(0, catalogue_.size(), [](RemoverThread* thread) { thread->RemoveFiles(); }));
  SHOAL_RETURN_IF_ERROR(RemoveDirectories());

  out->entries = entries_;
  out->inodes = inodes_;
  out->bytes = bytes_;
  for (Kept& item : kept_) out->kept.push_back({item.code, catalogue_.SourcePath(item.entry), std::move(item.message)});
  std::sort(out->kept.begin(), out->kept.end(), [](const Problem& a, const Problem& b) { return a.path < b.path; });
  for (uint32_t entry : not_empty_) out->not_empty.push_back(catalogue_.SourcePath(entry));
  std::sort(out->not_empty.begin(), out->not_empty.end());
  return Stopped()
             ? Status(Code::kCancelled, "cancelled while packed sources were removed; what is left, --resume removes")
             : Status();
}

void Remover::FindFurtherNames() {
  for (uint32_t entry = 0; entry < catalogue_.size(); entry++) {
    if (catalogue_.IsAlias(entry)) further_names_.emplace_back(static_cast<uint32_t>(catalogue_.offsets[entry]), entry);
  }
  std::sort(further_names_.begin(), further_names_.end());
}

// Level by level, the deepest first: in index order the entries of one depth stand together.
Status Remover::RemoveDirectories() {
  const auto& parents = catalogue_.parents;
  std::vector<uint32_t> levels = {0, 1};  // where each begins; the last one is where the entries end
  while (levels.back() < parents.size()) {
    const auto next = parents.begin() + levels.back();
    levels.push_back(static_cast<uint32_t>(std::lower_bound(next, parents.end(), levels.back()) - parents.begin()));
  }
  GrowingThreads one(1);
  RemoverThread alone(this, &one, 0);
  for (size_t level = levels.size() - 1; level-- > 0 && !Stopped();) {
    const uint32_t first = levels[level];
    const uint32_t end = levels[level + 1];
    if (end - first <= kRange) {
      next_ = first;
      alone.RemoveDirectories(end);
      continue;
    }
    SHOAL_RETURN_IF_ERROR(OnThreads(first, end, [end](RemoverThread* thread) { thread->RemoveDirectories(end); }));
  }
  return Status();
}

template <typename Work>
Status Remover::OnThreads(uint64_t first, uint64_t end, const Work& work) {
  next_ = first;
  const auto most = static_cast<unsigned>(std::min<uint64_t>(GrowingThreads::kMost, (end - first) / kRange + 1));
  GrowingThreads threads(jobs_, most, catalogue_.threads);
  return threads.Run([&](unsigned worker) {
    RemoverThread thread(this, &threads, worker);
    work(&thread);
  });
}

void Remover::Keep(uint32_t entry, const Status& status) {
  std::lock_guard<std::mutex> lock(mutex_);
  kept_.push_back({entry, status.code(), status.message()});
  explained_[catalogue_.parents[entry]] = 1;
}

void RemoverThread::RemoveFiles() {
  const uint64_t count = catalogue_.size();
  for (uint64_t at; !remover_.Stopped() && (at = remover_.next_.fetch_add(kRange)) < count;) {
    const uint64_t end = std::min(at + kRange, count);
    for (auto entry = static_cast<uint32_t>(at); entry < end; entry++) {
      if (catalogue_.IsAlias(entry) || catalogue_.IsDirectory(entry)) continue;
      RemoveNames(entry);
      threads_.Count(worker_);
    }
    remover_.progress_.entries_done.fetch_add(end - at, std::memory_order_relaxed);
  }
}

// All names of a file in one go: removing one of them changes what the others are compared by.
void RemoverThread::RemoveNames(uint32_t entry) {
  Target target;
  if (!remover_.comparison_.IsSame(entry)) return;  // told by the comparison, the further names as well
  Status checked = OpenChecked(entry, &target);
  if (!checked.ok()) return remover_.Keep(entry, checked);

  auto remove = [&](uint32_t name) {
    Status removed = RemoveName(name, target);
    if (!removed.ok()) return remover_.Keep(name, removed);
    Count(catalogue_.IsFile(entry) ? catalogue_.sizes[entry] : 0, target.status.st_nlink == 1);
    target.status.st_nlink--;
  };
  remove(entry);
  const auto& names = remover_.further_names_;
  auto at = std::lower_bound(names.begin(), names.end(), std::make_pair(entry, uint32_t{0}));
  for (; at != names.end() && at->first == entry; ++at) {
    if (remover_.comparison_.IsSame(at->second)) remove(at->second);
  }
}

// The target is what the walk saw.
Status RemoverThread::OpenChecked(uint32_t entry, Target* target) {
  if (!catalogue_.IsFile(entry)) {
    int directory;
    std::string name;
    SHOAL_RETURN_IF_ERROR(reader_.Locate(entry, &directory, &name));
    if (fstatat(directory, name.c_str(), &target->status, AT_SYMLINK_NOFOLLOW) != 0) {
      return Status::FromErrno("cannot stat", "", errno);
    }
    return CompareWithWalk(catalogue_, entry, target->status);
  }
  SHOAL_RETURN_IF_ERROR(reader_.Open(entry, &target->fd));
  // Filesystems without leases, and files of others, are looked at only.
  target->has_lease = fcntl(target->fd.get(), F_SETLEASE, F_RDLCK) == 0;
  if (!target->has_lease && errno == EAGAIN) return Changed("is open for writing");
  if (fstat(target->fd.get(), &target->status) != 0) return Status::FromErrno("cannot stat", "", errno);
  return CompareWithWalk(catalogue_, entry, target->status);
}

Status RemoverThread::RemoveName(uint32_t name, const Target& target) {
  int directory;
  std::string path;
  SHOAL_RETURN_IF_ERROR(reader_.Locate(name, &directory, &path));
  const std::string aside = AsideName(path);
  const bool is_aside = !aside.empty() && aside != path && RenameToFree(directory, path, aside) == 0;
  // A full disk may have no room for the longer name, and what removes must not fail for that.
  if (is_aside) path = aside;
  struct stat found;
  if (fstatat(directory, path.c_str(), &found, AT_SYMLINK_NOFOLLOW) != 0) {
    return Status::FromErrno("cannot stat", "", errno);
  }
  // Whoever opened it by its name before it was set aside waits for the lease to end.
  if (IsSameFile(found, target.status) && !target.IsBeingOpened()) {
    return unlinkat(directory, path.c_str(), 0) == 0 ? Status() : Status::FromErrno("cannot remove", "", errno);
  }
  if (!is_aside || PutBack(directory, aside)) return Changed("was replaced or modified after it was compared");
  return Changed(
      "was replaced twice while it was to be removed; what stood here first is beside it, its name begins with "
      ".shoal-removed");
}

bool RemoverThread::PutBack(int directory, const std::string& aside) {
  std::string path = aside;
  path.erase(aside.find_last_of('/') + 1, kSetAside.size());
  return RenameToFree(directory, aside, path) == 0;
}

void RemoverThread::RemoveDirectories(uint32_t end) {
  for (uint64_t at; !remover_.Stopped() && (at = remover_.next_.fetch_add(kRange)) < end;) {
    const uint64_t range_end = std::min<uint64_t>(at + kRange, end);
    for (auto entry = static_cast<uint32_t>(at); entry < range_end; entry++) {
      if (!catalogue_.IsDirectory(entry) || (entry == 0 && catalogue_.made_up_root)) continue;
      Status status = remover_.comparison_.IsSame(entry) ? RemoveDirectory(entry) : Status();
      threads_.Count(worker_);
      if (!status.ok()) remover_.Keep(entry, status);
    }
  }
}

Status RemoverThread::RemoveDirectory(uint32_t entry) {
  int directory;
  std::string name;
  SHOAL_RETURN_IF_ERROR(reader_.Locate(entry, &directory, &name));
  struct stat found;
  if (fstatat(directory, name.c_str(), &found, AT_SYMLINK_NOFOLLOW) != 0)
    return Status::FromErrno("cannot stat", "", errno);
  const AttributesRow& row = catalogue_.Row(entry);
  if (found.st_mode != row.mode || found.st_uid != row.uid || found.st_gid != row.gid) {
    return Changed("was replaced, or got other permissions, after it was compared");
  }
  if (unlinkat(directory, name.c_str(), AT_REMOVEDIR) == 0) {
    Count(0, true);
    return Status();
  }
  const int error = errno;
  if (error != ENOTEMPTY && error != EEXIST) return Status::FromErrno("cannot remove", "", error);
  std::lock_guard<std::mutex> lock(remover_.mutex_);
  if (remover_.explained_[entry] == 0) remover_.not_empty_.push_back(entry);
  remover_.explained_[catalogue_.parents[entry]] = 1;
  return Status();
}

void RemoverThread::Count(uint64_t bytes, bool is_last_name) {
  remover_.entries_.fetch_add(1, std::memory_order_relaxed);
  if (!is_last_name) return;
  remover_.inodes_.fetch_add(1, std::memory_order_relaxed);
  remover_.bytes_.fetch_add(bytes, std::memory_order_relaxed);
}

}  // namespace

Status RemoveSources(SourceComparison* comparison, unsigned jobs, Progress* progress, RemovedSources* out) {
  return Remover(*comparison, jobs, progress).Run(comparison->TakeKept(), out);
}

}  // namespace shoal
