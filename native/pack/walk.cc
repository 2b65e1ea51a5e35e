#include "pack/walk.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <string_view>

#include "core/bytes.h"
#include "core/format.h"
#include "core/run_threads.h"
#include "core/xattr_reader.h"
#include "pack/assemble.h"
#include "pack/attribute_table.h"
#include "pack/holes.h"
#include "pack/listing.h"
#include "pack/sources.h"

namespace shoal {
namespace {

// Errors of the process or the machine, not of a path: they end the walk.
bool IsFatal(int error) { return error == EMFILE || error == ENFILE || error == ENOMEM; }

constexpr auto kMaxSeconds = static_cast<int64_t>(format::kMaxNumber);

struct Task {
  static constexpr uint32_t kList = 0xFFFFFFFF;  // list the directory; else look at this part of its children
  uint32_t listing;
  uint32_t part;
};

// Leaves the directory's atime alone where that is allowed: to its owner, and to root.
int OpenForListing(int directory) {
  constexpr int kFlags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
  const int fd = openat(directory, ".", kFlags | O_NOATIME);
  return fd < 0 && errno == EPERM ? openat(directory, ".", kFlags) : fd;
}

// The walk's shared state. Listings stay where they are once made, and a listing's names stay as they are once it is
// listed.
class Walker : public DirectoryTree {
 public:
  Walker(std::vector<Source> sources, unsigned jobs, Progress* progress)
      : sources_(std::move(sources)), jobs_(std::max(1U, jobs)), progress_(progress) {}

  Status Run();
  Status Finish(Walked* out);

  Status ParentOf(uint32_t directory, uint32_t* parent, std::string* name) const override;
  Status OpenTop(uint32_t directory, UniqueFd* fd) const override;

 private:
  friend class WalkThread;

  Listing& At(uint32_t number) const {
    std::lock_guard<std::mutex> lock(mutex_);
    return listings_[number];
  }
  uint32_t AddListing(uint32_t parent, uint32_t child);
  void Push(Task task);
  bool Take(Task* task);
  void Done();
  void Fail(Status status);
  void Report(std::vector<Problem>* list, Code code, uint32_t listing, uint32_t child, const std::string& message);
  bool Stopped() const { return progress_->cancel.load(std::memory_order_relaxed) != 0; }
  std::string PathOf(uint32_t listing, uint32_t child) const;

  const std::vector<Source> sources_;
  const unsigned jobs_;
  Progress* const progress_;
  AttributeTable attributes_;

  mutable std::mutex mutex_;
  std::condition_variable more_;
  // [0] stands above the sources: they are its children.
  mutable std::deque<Listing> listings_;
  std::vector<Task> tasks_;  // taken from the end: depth first keeps the parents' descriptors at hand
  size_t unfinished_ = 0;
  Status failure_;
  std::vector<Problem> skipped_;
  std::vector<Problem> unreadable_;
};

class WalkThread {
 public:
  explicit WalkThread(Walker* walker)
      : walker_(walker), opener_(walker, DirectoryCapacity(walker->jobs_)), attributes_(&walker->attributes_) {}

  void Run();

 private:
  Status List(uint32_t number);
  Status LookAtPart(uint32_t number, uint32_t part);
  Status LookAt(int fd, uint32_t number, uint32_t child, ListingPart* part, Child* found);
  Status ReadNames(int fd, std::string* names);
  Status ReadTarget(int fd, const char* name, std::string* targets, Child* found);
  Status ReadHoles(int fd, const char* name, const struct stat& status, std::vector<Extent>* data, bool* holed);
  Status Unreadable(uint32_t number, uint32_t child, const Status& status);

  Walker* walker_;
  DirectoryOpener opener_;
  AttributeCache attributes_;
  XattrReader xattrs_;
  std::vector<char> buffer_ = std::vector<char>(128 * 1024);
};

Status Walker::Run() {
  Listing& top = listings_.emplace_back();
  for (const Source& source : sources_) {
    top.name_offsets.push_back(static_cast<uint32_t>(top.names.size()));
    top.names.append(source.absolute).push_back('\0');
  }
  top.parts.resize((top.size() + Listing::kPartLength - 1) / Listing::kPartLength);
  for (uint32_t part = 0; part < top.parts.size(); part++) Push(Task{0, part});

  SHOAL_RETURN_IF_ERROR(RunThreads(jobs_, [this](unsigned) { WalkThread(this).Run(); }));
  if (Stopped()) return Status(Code::kCancelled, "cancelled while the tree was walked");
  return failure_;
}

Status Walker::Finish(Walked* out) {
  auto by_path = [](const Problem& a, const Problem& b) { return a.path < b.path; };
  std::sort(skipped_.begin(), skipped_.end(), by_path);
  std::sort(unreadable_.begin(), unreadable_.end(), by_path);
  out->skipped = std::move(skipped_);
  out->unreadable = std::move(unreadable_);
  out->catalogue = std::make_shared<PackCatalogue>();
  out->catalogue->complete = out->unreadable.empty();
  return Assemble(&listings_, &attributes_, sources_, out->catalogue.get());
}

void WalkThread::Run() {
  Task task;
  while (walker_->Take(&task)) {
    Status status = task.part == Task::kList ? List(task.listing) : LookAtPart(task.listing, task.part);
    if (!status.ok()) walker_->Fail(std::move(status));
    walker_->Done();
  }
}

Status WalkThread::List(uint32_t number) {
  Listing& listing = walker_->At(number);
  int directory = -1;
  std::string names;
  Status status = opener_.Open(number, &directory);
  if (status.ok()) {
    UniqueFd fd(OpenForListing(directory));
    status = fd.valid() ? ReadNames(fd.get(), &names) : Status::FromErrno("cannot read directory", "", errno);
  }
  if (!status.ok()) {
    listing.failed = true;
    return Unreadable(listing.parent, listing.child, status);
  }

  std::vector<std::string_view> sorted;
  for (size_t at = 0; at < names.size(); at += sorted.back().size() + 1) sorted.emplace_back(names.data() + at);
  std::sort(sorted.begin(), sorted.end());
  listing.names.reserve(names.size());
  listing.name_offsets.reserve(sorted.size());
  for (std::string_view name : sorted) {
    listing.name_offsets.push_back(static_cast<uint32_t>(listing.names.size()));
    listing.names.append(name.data(), name.size() + 1);
  }
  listing.parts.resize((sorted.size() + Listing::kPartLength - 1) / Listing::kPartLength);
  for (uint32_t part = 1; part < listing.parts.size(); part++) walker_->Push(Task{number, part});
  return sorted.empty() ? Status() : LookAtPart(number, 0);
}

Status WalkThread::ReadNames(int fd, std::string* names) {
  // struct linux_dirent64, getdents64(2): d_reclen at 16, d_name at 19.
  constexpr size_t kLengthAt = 16, kNameAt = 19;
  for (;;) {
    long got = syscall(SYS_getdents64, fd, buffer_.data(), buffer_.size());
    if (got == 0) return Status();
    if (got < 0) return Status::FromErrno("cannot read directory", "", errno);
    for (long at = 0; at < got; at += Load<uint16_t>(buffer_.data() + at + kLengthAt)) {
      std::string_view name(buffer_.data() + at + kNameAt);
      if (name == "." || name == "..") continue;
      names->append(name.data(), name.size() + 1);
    }
    if (names->size() > UINT32_MAX) return Status(Code::kUnsupported, "has more than 4 GiB of names");
  }
}

Status WalkThread::LookAtPart(uint32_t number, uint32_t part_number) {
  Listing& listing = walker_->At(number);
  ListingPart& part = listing.parts[part_number];
  const uint32_t first = part_number * Listing::kPartLength;
  part.children.resize(std::min(Listing::kPartLength, listing.size() - first));
  int directory = AT_FDCWD;  // the sources' names are absolute paths
  if (number != 0) {
    Status status = opener_.Open(number, &directory);
    if (!status.ok()) return Unreadable(listing.parent, listing.child, status);
    xattrs_.Enter(directory);
  }
  uint64_t bytes = 0;
  for (uint32_t i = 0; i < part.children.size(); i++) {
    if (walker_->Stopped()) return Status();
    Child* child = &part.children[i];
    Status status = LookAt(directory, number, first + i, &part, child);
    if (!status.ok()) {
      child->kind = Child::Kind::kAbsent;
      SHOAL_RETURN_IF_ERROR(Unreadable(number, first + i, status));
    } else if (child->kind == Child::Kind::kFile) {
      bytes += child->size;
    }
  }
  walker_->progress_->entries_done.fetch_add(part.children.size(), std::memory_order_relaxed);
  walker_->progress_->bytes_done.fetch_add(bytes, std::memory_order_relaxed);
  return Status();
}

Status WalkThread::LookAt(int fd, uint32_t number, uint32_t child, ListingPart* part, Child* found) {
  const Listing& listing = walker_->At(number);
  const char* name = listing.name(child);
  if (number != 0 && listing.name_length(child) > format::kMaxNameLength) {
    return Status(Code::kUnsupported, "expected a name of at most 255 bytes, found a longer one; rename it");
  }
  struct stat status;
  if (fstatat(fd, name, &status, AT_SYMLINK_NOFOLLOW) != 0) return Status::FromErrno("cannot stat", "", errno);
  if (status.st_mtim.tv_sec > kMaxSeconds || status.st_mtim.tv_sec < -kMaxSeconds) {
    return Status(Code::kUnsupported, "expected an mtime within 2^53 seconds of 1970, found " +
                                          std::to_string(status.st_mtim.tv_sec) + "; change it with touch");
  }
  if (S_ISSOCK(status.st_mode)) {
    walker_->Report(&walker_->skipped_, Code::kUnsupported, number, child, "a socket; left out");
    return Status();
  }

  AttributesRow row{status.st_mode, status.st_uid, status.st_gid, static_cast<uint32_t>(status.st_nlink),
                    format::kNoXattrs};
  std::string set;
  SHOAL_RETURN_IF_ERROR(xattrs_.Read(name, status.st_dev, &set));
  if (!set.empty()) row.xattrs = attributes_.AddSet(std::move(set));
  found->attributes = attributes_.AddRow(row);
  found->seconds = status.st_mtim.tv_sec;
  found->nanoseconds = static_cast<uint32_t>(status.st_mtim.tv_nsec);
  found->stamp = StampOf(status);

  const uint32_t in_part = child % Listing::kPartLength;
  if (S_ISDIR(status.st_mode)) {
    found->kind = Child::Kind::kDirectory;
    found->place = walker_->AddListing(number, child);
    return Status();
  }
  if (status.st_nlink > 1) part->linked.push_back({in_part, status.st_dev, status.st_ino});
  if (S_ISREG(status.st_mode)) {
    found->kind = Child::Kind::kFile;
    found->size = static_cast<uint64_t>(status.st_size);
    std::vector<Extent> data;
    bool holed = false;
    SHOAL_RETURN_IF_ERROR(ReadHoles(fd, name, status, &data, &holed));
    if (holed) part->holed.push_back({in_part, std::move(data)});
  } else if (S_ISLNK(status.st_mode)) {
    found->kind = Child::Kind::kLink;
    return ReadTarget(fd, name, &part->targets, found);
  } else if (S_ISCHR(status.st_mode) || S_ISBLK(status.st_mode)) {
    found->kind = Child::Kind::kDevice;
    found->size = static_cast<uint64_t>(major(status.st_rdev)) << 32 | minor(status.st_rdev);
  } else {
    found->kind = Child::Kind::kOther;
  }
  return Status();
}

Status WalkThread::ReadHoles(int fd, const char* name, const struct stat& status, std::vector<Extent>* data,
                             bool* holed) {
  constexpr int64_t kStatBlock = 512;  // unit of st_blocks, stat(2)
  if (status.st_size < static_cast<int64_t>(kMinHole) || status.st_blocks * kStatBlock >= status.st_size)
    return Status();
  UniqueFd file(openat(fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!file.valid()) return Status::FromErrno("cannot open", "", errno);
  return FindData(file.get(), static_cast<uint64_t>(status.st_size), data, holed);
}

Status WalkThread::ReadTarget(int fd, const char* name, std::string* targets, Child* found) {
  char target[PATH_MAX];  // PATH_MAX counts a NUL that is not stored, so a longest target leaves room
  ssize_t length = readlinkat(fd, name, target, sizeof target);
  if (length < 0) return Status::FromErrno("cannot read link", "", errno);
  if (length == 0 || static_cast<size_t>(length) == sizeof target) {
    return Status(Code::kUnsupported, "expected a link target of 1 to 4095 bytes, found " + std::to_string(length));
  }
  found->place = static_cast<uint32_t>(targets->size());
  found->size = static_cast<uint64_t>(length);
  targets->append(target, static_cast<size_t>(length));
  return Status();
}

// Lists the problem, or hands it back where it is not one of this path.
Status WalkThread::Unreadable(uint32_t number, uint32_t child, const Status& status) {
  if (IsFatal(status.error())) return Status::FromErrno("cannot walk", walker_->PathOf(number, child), status.error());
  const bool vanished = status.error() == ENOENT;
  walker_->Report(&walker_->unreadable_, vanished ? Code::kChanged : Code::kUnreadable, number, child,
                  vanished ? "vanished while the tree was walked" : status.message());
  return Status();
}

Status Walker::ParentOf(uint32_t directory, uint32_t* parent, std::string* name) const {
  const Listing& listing = At(directory);
  if (listing.parent == 0) {
    *parent = kTop;
  } else {
    *parent = listing.parent;
    *name = At(listing.parent).name(listing.child);
  }
  return Status();
}

Status Walker::OpenTop(uint32_t directory, UniqueFd* fd) const {
  return OpenSourceDirectory(sources_[At(directory).child], fd);
}

uint32_t Walker::AddListing(uint32_t parent, uint32_t child) {
  std::lock_guard<std::mutex> lock(mutex_);
  const auto number = static_cast<uint32_t>(listings_.size());
  Listing& listing = listings_.emplace_back();
  listing.parent = parent;
  listing.child = child;
  tasks_.push_back(Task{number, Task::kList});
  unfinished_++;
  more_.notify_one();
  return number;
}

void Walker::Push(Task task) {
  std::lock_guard<std::mutex> lock(mutex_);
  tasks_.push_back(task);
  unfinished_++;
  more_.notify_one();
}

// Waits for a task; false when there will be none.
bool Walker::Take(Task* task) {
  std::unique_lock<std::mutex> lock(mutex_);
  more_.wait(lock, [this] { return !tasks_.empty() || unfinished_ == 0; });
  if (tasks_.empty() || !failure_.ok() || Stopped()) {
    unfinished_ = 0;
    tasks_.clear();
    more_.notify_all();
    return false;
  }
  *task = tasks_.back();
  tasks_.pop_back();
  return true;
}

void Walker::Done() {
  std::lock_guard<std::mutex> lock(mutex_);
  if (unfinished_ > 0 && --unfinished_ == 0) more_.notify_all();
}

void Walker::Fail(Status status) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (failure_.ok()) failure_ = std::move(status);
}

void Walker::Report(std::vector<Problem>* list, Code code, uint32_t listing, uint32_t child,
                    const std::string& message) {
  Problem problem{code, PathOf(listing, child), message};
  std::lock_guard<std::mutex> lock(mutex_);
  list->push_back(std::move(problem));
}

std::string Walker::PathOf(uint32_t listing, uint32_t child) const {
  std::vector<std::string_view> below;
  for (; listing != 0; child = At(listing).child, listing = At(listing).parent) {
    below.push_back(std::string_view(At(listing).name(child), At(listing).name_length(child)));
  }
  std::string path = sources_[child].given;
  for (size_t i = below.size(); i-- > 0;) {
    if (path.back() != '/') path.push_back('/');
    path.append(below[i]);
  }
  return path;
}

}  // namespace

Status Walk(const std::vector<std::string>& given, unsigned jobs, Progress* progress, Walked* out) {
  std::vector<Source> sources;
  SHOAL_RETURN_IF_ERROR(ResolveSources(given, &sources));
  Walker walker(std::move(sources), jobs, progress);
  SHOAL_RETURN_IF_ERROR(walker.Run());
  return walker.Finish(out);
}

}  // namespace shoal
