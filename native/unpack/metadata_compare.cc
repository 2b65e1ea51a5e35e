#include "unpack/metadata_compare.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <tuple>

#include "core/bytes.h"
#include "core/run_threads.h"

namespace shoal {
namespace {

// Entries that a thread takes at once: enough of one directory to open it seldom.
constexpr uint32_t kRange = 1024;
// Targets are shorter than PATH_MAX on every filesystem of Linux' own; a longer one is not cut to look equal.
constexpr size_t kTargetMax = 65536;

struct CloseDirectory {
  void operator()(DIR* directory) const { closedir(directory); }
};

const char* TypeName(uint32_t mode) {
  switch (mode & S_IFMT) {
    case S_IFREG:
      return "regular file";
    case S_IFDIR:
      return "directory";
    case S_IFLNK:
      return "symbolic link";
    case S_IFCHR:
      return "character device";
    case S_IFBLK:
      return "block device";
    case S_IFIFO:
      return "FIFO";
    case S_IFSOCK:
      return "socket";
    default:
      return "unknown";
  }
}

std::string Octal(uint32_t mode) {
  char text[8];
  std::snprintf(text, sizeof text, "%04o", mode & 07777);
  return text;
}

std::string Time(int64_t seconds, uint32_t nanoseconds) {
  char text[40];
  std::snprintf(text, sizeof text, "%lld.%09u", static_cast<long long>(seconds), nanoseconds);
  return text;
}

std::string Device(uint32_t major, uint32_t minor) { return std::to_string(major) + ":" + std::to_string(minor); }

// The attributes of a set encoded as FORMAT §4.6, as XattrReader makes it.
std::vector<Xattr> Decode(const std::string& set) {
  std::vector<Xattr> xattrs;
  std::string_view rest(set);
  if (rest.empty()) return xattrs;
  for (rest.remove_prefix(4); !rest.empty();) {
    const auto name_length = Load<uint16_t>(rest.data());
    const auto value_length = Load<uint32_t>(rest.data() + 2);
    xattrs.push_back({rest.substr(6, name_length), rest.substr(6u + name_length, value_length)});
    rest.remove_prefix(6 + name_length + value_length);
  }
  return xattrs;
}

}  // namespace

// One thread's part.
class MetadataCompare::Worker {
 public:
  explicit Worker(MetadataCompare* compare)
      : compare_(*compare), index_(compare->index_), opener_(&compare->directories_), target_(kTargetMax) {}

  void Run() {
    const uint32_t count = index_.entry_count();
    for (;;) {
      const uint64_t begin = compare_.next_range_.fetch_add(kRange);
      if (begin >= count || compare_.progress_.cancel.load(std::memory_order_relaxed) != 0) return;
      const auto end = static_cast<uint32_t>(std::min<uint64_t>(begin + kRange, count));
      for (auto number = static_cast<uint32_t>(begin); number < end; number++) {
        Status status = Visit(number);
        if (!status.ok()) Differ(number, status);
      }
    }
  }

 private:
  Status Visit(uint32_t number) {
    Entry entry;
    SHOAL_RETURN_IF_ERROR(index_.Get(number, &entry));
    if (compare_.pass_ == Pass::kEntries && entry.alias) compare_.has_aliases_ = true;
    if (entry.alias != (compare_.pass_ == Pass::kAliases)) return Status();
    compare_.progress_.entries_done.fetch_add(1, std::memory_order_relaxed);

    bool there = false;
    SHOAL_RETURN_IF_ERROR(EnterParent(number, &there));
    if (!there) return Status();  // told with the directory
    struct stat found;
    if (fstatat(parent_fd_, name_.c_str(), &found, AT_SYMLINK_NOFOLLOW) != 0) {
      if (errno != ENOENT) return Status::FromErrno("cannot stat", "", errno);
      return DifferMissing(entry);
    }
    return entry.alias ? CompareAlias(entry, found) : CompareEntry(entry, found);
  }

  // Makes parent_fd_ and name_ those of the entry. Not `there`: the directory has no such directory.
  Status EnterParent(uint32_t number, bool* there) {
    *there = true;
    if (number == 0) {
      parent_fd_ = compare_.directories_.root();
      parent_known_ = false;
      name_ = ".";
      xattrs_.Enter(parent_fd_);
      return Status();
    }
    std::string_view name;
    SHOAL_RETURN_IF_ERROR(index_.Name(number, &name));
    name_.assign(name);
    if (!parent_known_ || number - parent_.first_child >= parent_.child_count) {
      uint32_t parent;
      SHOAL_RETURN_IF_ERROR(index_.Parent(number, &parent));
      SHOAL_RETURN_IF_ERROR(index_.Get(parent, &parent_));
      parent_known_ = true;
      parent_status_ = opener_.Open(parent, &parent_fd_);
      if (parent_status_.ok()) xattrs_.Enter(parent_fd_);
    }
    *there = parent_status_.ok();
    const int error = parent_status_.error();
    const bool told = error == ENOENT || error == ENOTDIR || error == ELOOP || number != parent_.first_child ||
                      compare_.pass_ == Pass::kAliases;
    if (!*there && !told) {
      compare_.differences_.AddAt(number, ShownEntry(index_, parent_.number), parent_status_.code(),
                                  parent_status_.message());
    }
    return Status();
  }

  Status CompareEntry(const Entry& entry, const struct stat& found) {
    const bool same_type = CompareType(entry.number, entry, found);
    if (!entry.IsDirectory() && !S_ISDIR(found.st_mode) && found.st_nlink > 1) {
      std::lock_guard<std::mutex> lock(compare_.mutex_);
      compare_.inodes_.push_back({found.st_dev, found.st_ino, entry.number});
    }
    if (!same_type) return Status();
    if (entry.IsFile()) compare_.comparable_[entry.number] = static_cast<uint64_t>(found.st_size) == entry.size;
    SHOAL_RETURN_IF_ERROR(CompareAttributes(entry.number, entry, found));
    return entry.IsDirectory() ? FindExtra(entry) : Status();
  }

  Status CompareAlias(const Entry& alias, const struct stat& found) {
    const Inode* inode = compare_.InodeOf(alias.target);
    if (inode != nullptr && inode->device == found.st_dev && inode->number == found.st_ino) return Status();
    Differ(alias.number,
           "hard link: image the same file as " + ShownEntry(index_, alias.target) + ", directory a file of its own");
    Entry entry;
    SHOAL_RETURN_IF_ERROR(index_.Resolve(alias.number, &entry));
    if (!CompareType(alias.number, entry, found)) return Status();
    if (entry.IsFile() && static_cast<uint64_t>(found.st_size) == entry.size) {
      std::lock_guard<std::mutex> lock(compare_.mutex_);
      compare_.separate_names_.emplace_back(entry.number, alias.number);
    }
    return CompareAttributes(alias.number, entry, found);
  }

  bool CompareType(uint32_t number, const Entry& entry, const struct stat& found) {
    if ((entry.mode & S_IFMT) == (found.st_mode & S_IFMT)) return true;
    Differ(number, std::string("type: image ") + TypeName(entry.mode) + ", directory " + TypeName(found.st_mode));
    return false;
  }

  // `number` is the entry's or that of an alias of it.
  Status CompareAttributes(uint32_t number, const Entry& entry, const struct stat& found) {
    // Linux knows no mode of a symbolic link; an archive may.
    if (!entry.IsSymlink()) CompareValue(number, "mode", Octal(entry.mode), Octal(found.st_mode));
    CompareValue(number, "uid", entry.uid, found.st_uid);
    CompareValue(number, "gid", entry.gid, found.st_gid);
    if (!entry.IsDirectory()) CompareValue(number, "nlink", entry.nlink, found.st_nlink);
    if (entry.IsFile()) CompareValue(number, "size", entry.size, static_cast<uint64_t>(found.st_size));
    if (entry.seconds != found.st_mtim.tv_sec || entry.nanoseconds != static_cast<uint64_t>(found.st_mtim.tv_nsec)) {
      CompareValue(number, "mtime", Time(entry.seconds, entry.nanoseconds),
                   Time(found.st_mtim.tv_sec, static_cast<uint32_t>(found.st_mtim.tv_nsec)));
    }
    if (S_ISCHR(entry.mode) || S_ISBLK(entry.mode)) {
      CompareValue(number, "device", Device(entry.device_major, entry.device_minor),
                   Device(major(found.st_rdev), minor(found.st_rdev)));
    }
    if (entry.IsSymlink()) SHOAL_RETURN_IF_ERROR(CompareTarget(number, entry));
    return CompareXattrs(number, entry, found.st_dev);
  }

  Status CompareTarget(uint32_t number, const Entry& entry) {
    std::string_view expected;
    SHOAL_RETURN_IF_ERROR(index_.LinkTarget(entry, &expected));
    const ssize_t length = readlinkat(parent_fd_, name_.c_str(), target_.data(), target_.size());
    if (length < 0) return Status::FromErrno("cannot read the link", "", errno);
    const std::string_view found(target_.data(), static_cast<size_t>(length));
    if (found != expected) CompareValue(number, "link target", Quoted(expected), Quoted(found));
    return Status();
  }

  Status CompareXattrs(uint32_t number, const Entry& entry, dev_t device) {
    set_.clear();
    SHOAL_RETURN_IF_ERROR(xattrs_.Read(name_.c_str(), device, &set_));
    if (set_.empty() && entry.xattrs == format::kNoXattrs) return Status();
    std::vector<Xattr> expected;
    SHOAL_RETURN_IF_ERROR(index_.Xattrs(entry.xattrs, &expected));
    const std::vector<Xattr> found = Decode(set_);
    for (const Xattr& xattr : expected) {
      const bool visible = geteuid() == 0 || xattr.name.substr(0, 8) != "trusted.";
      if (visible) CompareXattr(number, xattr.name, &xattr, Find(found, xattr.name));
    }
    for (const Xattr& xattr : found) {
      if (Find(expected, xattr.name) == nullptr) CompareXattr(number, xattr.name, nullptr, &xattr);
    }
    return Status();
  }

  void CompareXattr(uint32_t number, std::string_view name, const Xattr* expected, const Xattr* found) {
    if (expected != nullptr && found != nullptr && expected->value == found->value) return;
    Differ(number, "xattr " + Quoted(name) + ": image " + (expected == nullptr ? "none" : Quoted(expected->value)) +
                       ", directory " + (found == nullptr ? "none" : Quoted(found->value)));
  }

  static const Xattr* Find(const std::vector<Xattr>& xattrs, std::string_view name) {
    auto at = std::find_if(xattrs.begin(), xattrs.end(), [&](const Xattr& xattr) { return xattr.name == name; });
    return at == xattrs.end() ? nullptr : &*at;
  }

  // Names that only the directory has.
  Status FindExtra(const Entry& entry) {
    const int fd = openat(parent_fd_, name_.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) return Status::FromErrno("cannot open the directory", "", errno);
    std::unique_ptr<DIR, CloseDirectory> directory(fdopendir(fd));
    if (!directory) {
      const int error = errno;
      close(fd);
      return Status::FromErrno("cannot list the directory", "", error);
    }
    std::vector<std::string> extra;
    for (;;) {
      errno = 0;
      const dirent* row = readdir(directory.get());
      if (row == nullptr) break;
      const std::string_view name(row->d_name);
      if (name == "." || name == "..") continue;
      uint32_t known;
      SHOAL_RETURN_IF_ERROR(index_.Lookup(entry, name, &known));
      if (known == IndexView::kNone) extra.emplace_back(name);
    }
    if (errno != 0) return Status::FromErrno("cannot list the directory", "", errno);
    if (extra.empty()) return Status();

    std::sort(extra.begin(), extra.end());
    const std::string below = entry.number == 0 ? "" : ShownEntry(index_, entry.number) + "/";
    for (const std::string& name : extra) {
      struct stat found;
      const bool is_socket = fstatat(fd, name.c_str(), &found, AT_SYMLINK_NOFOLLOW) == 0 && S_ISSOCK(found.st_mode);
      if (is_socket) {
        compare_.ignored_.AddAt(entry.number, below + name, Code::kUnsupported, "a socket, which no image holds");
      } else {
        compare_.differences_.AddAt(entry.number, below + name, Code::kDifferent, "only in the directory");
      }
    }
    return Status();
  }

  Status DifferMissing(const Entry& entry) {
    Totals totals;
    if (entry.IsDirectory()) SHOAL_RETURN_IF_ERROR(index_.DirectoryTotals(entry, &totals));
    Differ(entry.number, totals.entries == 0 ? "missing in the directory"
                                             : "missing in the directory, with the " + std::to_string(totals.entries) +
                                                   " entries below it");
    return Status();
  }

  void CompareValue(uint32_t number, const char* what, const std::string& image, const std::string& directory) {
    if (image != directory) Differ(number, std::string(what) + ": image " + image + ", directory " + directory);
  }

  void CompareValue(uint32_t number, const char* what, uint64_t image, uint64_t directory) {
    if (image != directory) CompareValue(number, what, std::to_string(image), std::to_string(directory));
  }

  void Differ(uint32_t number, std::string message) {
    compare_.differences_.Add(number, Code::kDifferent, std::move(message));
  }
  void Differ(uint32_t number, const Status& status) { compare_.differences_.Add(number, status); }

  MetadataCompare& compare_;
  const IndexView& index_;
  DirectoryOpener opener_;
  XattrReader xattrs_;

  Entry parent_;
  bool parent_known_ = false;
  Status parent_status_;
  int parent_fd_ = -1;  // the opener's, or the root
  std::string name_;
  std::string set_;
  std::vector<char> target_;
};

MetadataCompare::MetadataCompare(const IndexView& index, int root, Progress* progress, ProblemList* differences,
                                 ProblemList* ignored)
    : index_(index),
      directories_(index, root),
      progress_(*progress),
      differences_(*differences),
      ignored_(*ignored),
      comparable_(index.entry_count()) {}

Status MetadataCompare::Run(unsigned jobs) {
  for (Pass pass : {Pass::kEntries, Pass::kAliases}) {
    if (pass == Pass::kAliases && !has_aliases_) break;
    pass_ = pass;
    next_range_ = 0;
    SHOAL_RETURN_IF_ERROR(RunThreads(jobs, [this](unsigned) { Worker(this).Run(); }));
    if (progress_.cancel.load(std::memory_order_relaxed) != 0)
      return Status(Code::kCancelled, "cancelled before it was done");
    if (pass == Pass::kEntries) CheckSharedInodes();
  }
  std::sort(separate_names_.begin(), separate_names_.end());
  return Status();
}

// Entries that are files of their own in the image must be so in the directory. Leaves inodes_ sorted by entry.
void MetadataCompare::CheckSharedInodes() {
  std::sort(inodes_.begin(), inodes_.end(), [](const Inode& a, const Inode& b) {
    return std::tie(a.device, a.number, a.entry) < std::tie(b.device, b.number, b.entry);
  });
  size_t first = 0;
  for (size_t i = 1; i < inodes_.size(); i++) {
    if (inodes_[i].device != inodes_[first].device || inodes_[i].number != inodes_[first].number) {
      first = i;
    } else {
      differences_.Add(
          inodes_[i].entry, Code::kDifferent,
          "hard link: image a file of its own, directory the same file as " + ShownEntry(index_, inodes_[first].entry));
    }
  }
  std::sort(inodes_.begin(), inodes_.end(), [](const Inode& a, const Inode& b) { return a.entry < b.entry; });
}

const MetadataCompare::Inode* MetadataCompare::InodeOf(uint32_t entry) const {
  auto at = std::lower_bound(inodes_.begin(), inodes_.end(), entry,
                             [](const Inode& inode, uint32_t number) { return inode.entry < number; });
  return at == inodes_.end() || at->entry != entry ? nullptr : &*at;
}

std::vector<uint32_t> MetadataCompare::ContentNames(uint32_t entry) const {
  std::vector<uint32_t> names;
  if (comparable_[entry] != 0) names.push_back(entry);
  auto at = std::lower_bound(separate_names_.begin(), separate_names_.end(), std::make_pair(entry, uint32_t{0}));
  for (; at != separate_names_.end() && at->first == entry; at++) names.push_back(at->second);
  return names;
}

}  // namespace shoal
