#include "pack/walk_thread.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <string_view>

#include "core/bytes.h"
#include "core/format.h"
#include "pack/holes.h"

namespace shoal {
namespace {

// Errors of the process or the machine, not of a path: they end the walk.
bool IsFatal(int error) { return error == EMFILE || error == ENFILE || error == ENOMEM; }

constexpr size_t kNamesBuffer = 128 * 1024;
constexpr auto kMaxSeconds = static_cast<int64_t>(format::kMaxNumber);

// Leaves the directory's atime alone where that is allowed: to its owner, and to root.
int OpenForListing(int directory) {
  constexpr int kFlags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
  const int fd = openat(directory, ".", kFlags | O_NOATIME);
  return fd < 0 && errno == EPERM ? openat(directory, ".", kFlags) : fd;
}

// Tells of the names of one directory which are excluded.
class NameFilter {
 public:
  NameFilter(const Walker& walker, uint32_t listing, int directory)
      : exclusion_(walker.exclusion()), directory_(directory) {
    if (exclusion_.needs_paths()) path_ = walker.Components(listing);
  }

  // `type` is one of readdir(3).
  bool Excludes(const char* name, unsigned char type) {
    if (exclusion_.empty()) return false;
    path_.emplace_back(name);
    const Exclusion::Verdict verdict = exclusion_.Judge(path_);
    path_.pop_back();
    const bool excluded = verdict == Exclusion::Verdict::kExcluded ||
                          (verdict == Exclusion::Verdict::kExcludedIfDirectory && IsDirectory(name, type));
    count_ += excluded;
    return excluded;
  }
  uint64_t count() const { return count_; }

 private:
  bool IsDirectory(const char* name, unsigned char type) const {
    if (type != DT_UNKNOWN) return type == DT_DIR;
    struct stat status;
    return fstatat(directory_, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(status.st_mode);
  }

  const Exclusion& exclusion_;
  const int directory_;
  std::vector<std::string_view> path_;
  uint64_t count_ = 0;
};

}  // namespace

WalkThread::WalkThread(Walker* walker, unsigned worker)
    : walker_(*walker),
      worker_(worker),
      opener_(walker, walker->threads()->DirectoryCapacity(worker)),
      attributes_(walker->attributes()) {}

void WalkThread::Run() {
  WalkTask task;
  while (walker_.Take(&task)) {
    Status status = task.part == WalkTask::kList ? List(task.listing) : LookAtPart(task.listing, task.part);
    if (!status.ok()) walker_.Fail(std::move(status));
    walker_.Done();
  }
}

Status WalkThread::List(uint32_t number) {
  Listing& listing = walker_.At(number);
  int directory = -1;
  std::string names;
  Status status = opener_.Open(number, &directory);
  if (status.ok()) status = ReadNames(number, directory, &names);
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
  for (uint32_t part = 1; part < listing.parts.size(); part++) walker_.Push({number, part});
  return sorted.empty() ? Status() : LookAtPart(number, 0);
}

// Those of the directory, or of the list, that are not excluded, each with a NUL behind it.
Status WalkThread::ReadNames(uint32_t number, int directory, std::string* names) {
  const Listing& listing = walker_.At(number);
  NameFilter filter(walker_, number, directory);
  if (listing.is_listed) {
    const std::string listed = walker_.list().Names(listing.listed);
    for (size_t at = 0; at < listed.size();) {
      const std::string_view name(listed.data() + at);
      if (!filter.Excludes(name.data(), DT_UNKNOWN)) names->append(name.data(), name.size() + 1);
      at += name.size() + 1;
    }
    walker_.CountExcluded(filter.count());
    return Status();
  }
  UniqueFd fd(OpenForListing(directory));
  if (!fd.valid()) return Status::FromErrno("cannot read directory", "", errno);
  // struct linux_dirent64, getdents64(2).
  constexpr size_t kLengthAt = 16, kTypeAt = 18, kNameAt = 19;
  buffer_.resize(kNamesBuffer);
  for (;;) {
    long got = syscall(SYS_getdents64, fd.get(), buffer_.data(), buffer_.size());
    walker_.threads()->Count(worker_);
    if (got == 0) break;
    if (got < 0) return Status::FromErrno("cannot read directory", "", errno);
    for (long at = 0; at < got; at += Load<uint16_t>(buffer_.data() + at + kLengthAt)) {
      std::string_view name(buffer_.data() + at + kNameAt);
      if (name == "." || name == "..") continue;
      const auto type = static_cast<unsigned char>(buffer_[static_cast<size_t>(at) + kTypeAt]);
      if (!filter.Excludes(name.data(), type)) names->append(name.data(), name.size() + 1);
    }
    if (names->size() > UINT32_MAX) return Status(Code::kUnsupported, "has more than 4 GiB of names");
  }
  walker_.CountExcluded(filter.count());
  return Status();
}

Status WalkThread::LookAtPart(uint32_t number, uint32_t part_number) {
  Listing& listing = walker_.At(number);
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
    if (walker_.Stopped()) return Status();
    Child* child = &part.children[i];
    Status status = LookAt(directory, number, listing, first + i, &part, child);
    walker_.threads()->Count(worker_);
    if (!status.ok()) {
      child->kind = Child::Kind::kAbsent;
      SHOAL_RETURN_IF_ERROR(Unreadable(number, first + i, status));
      continue;
    }
    if (listing.is_listed && child->kind != Child::Kind::kDirectory) DropUnlisted(listing, first + i, child);
    if (child->kind == Child::Kind::kFile) bytes += child->size;
  }
  walker_.progress()->entries_done.fetch_add(part.children.size(), std::memory_order_relaxed);
  walker_.progress()->bytes_done.fetch_add(bytes, std::memory_order_relaxed);
  return Status();
}

Status WalkThread::LookAt(int fd, uint32_t number, const Listing& listing, uint32_t child, ListingPart* part,
                          Child* found) {
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
    walker_.Report(Walker::Kind::kSkipped, Code::kUnsupported, walker_.PathOf(number, child), "a socket; left out");
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
  found->stamp = StampOf(status) | (IsStampedLately(status) ? kStampedLately : 0);

  const uint32_t in_part = child % Listing::kPartLength;
  if (S_ISDIR(status.st_mode)) return LookAtDirectory(number, listing, child, status, found);
  if (status.st_nlink > 1) part->linked.push_back({in_part, status.st_dev, status.st_ino});
  if (S_ISREG(status.st_mode)) {
    found->kind = Child::Kind::kFile;
    found->size = static_cast<uint64_t>(status.st_size);
    found->place = static_cast<uint32_t>(std::min<uint64_t>(static_cast<uint64_t>(status.st_blocks), UINT32_MAX));
    if (walker_.options().tests_access && faccessat(fd, name, R_OK, 0) != 0)
      return Status::FromErrno("cannot open", "", errno);
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

Status WalkThread::LookAtDirectory(uint32_t number, const Listing& listing, uint32_t child, const struct stat& status,
                                   Child* found) {
  const bool is_mount_point = number != 0 && status.st_dev != listing.device;
  const bool entered = !is_mount_point || !walker_.options().one_file_system;
  if (is_mount_point) {
    walker_.Report(
        entered ? Walker::Kind::kNotice : Walker::Kind::kSkipped, Code::kUnsupported, walker_.PathOf(number, child),
        entered ? "another filesystem is mounted here; what is in it is packed, too (--one-file-system leaves it out)"
                : "another filesystem is mounted here; packed as an empty directory");
  }
  found->kind = Child::Kind::kDirectory;
  found->place = walker_.AddListing(number, child, status.st_dev, entered);
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

// A path of the list leads through the child, which is no directory. The child itself may be listed, too.
void WalkThread::DropUnlisted(const Listing& listing, uint32_t number, Child* found) {
  const FileList::Range range = walker_.list().Below(listing.listed, listing.name_view(number));
  const bool is_link = found->kind == Child::Kind::kLink;
  bool is_listed = false;
  for (uint32_t i = range.begin; i < range.end; i++) {
    if (walker_.list().IsWhole({i, range.end, range.depth})) {
      is_listed = true;
      continue;
    }
    walker_.Report(Walker::Kind::kUnreadable, Code::kMissing, walker_.PathOf(walker_.list().Path(i)),
                   is_link ? "expected directories on the way to it, found a symbolic link; list the path that it "
                             "leads to"
                           : "expected directories on the way to it, found a file");
  }
  if (!is_listed) found->kind = Child::Kind::kAbsent;
}

// Lists the problem, or hands it back where it is not one of this path, or where nothing else was asked for.
Status WalkThread::Unreadable(uint32_t number, uint32_t child, const Status& status) {
  const std::string path = walker_.PathOf(number, child);
  if (IsFatal(status.error())) return Status::FromErrno("cannot walk", path, status.error());
  if (number == 0 && walker_.options().skip_unreadable)
    return Status(Code::kUnreadable, "expected a source that can be read: " + status.message()).At(path);
  const bool vanished = status.error() == ENOENT;
  const Listing& listing = walker_.At(number);
  if (vanished && listing.is_listed) {
    const FileList::Range range = walker_.list().Below(listing.listed, listing.name_view(child));
    for (uint32_t i = range.begin; i < range.end; i++) {
      walker_.Report(Walker::Kind::kUnreadable, Code::kMissing, walker_.PathOf(walker_.list().Path(i)),
                     "is listed, but not there");
    }
    return Status();
  }
  walker_.Report(Walker::Kind::kUnreadable, vanished ? Code::kChanged : Code::kUnreadable, path,
                 vanished ? "vanished while the tree was walked" : status.message());
  return Status();
}

}  // namespace shoal
