#include "pack/file_reader.h"

#include <fcntl.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cinttypes>
#include <cstdio>

#include "pack/member_builder.h"
#include "pack/tar_header.h"

namespace shoal {
namespace {

// What openat says where the file is gone, or a link or something that is no directory has taken its or a directory's
// place.
bool IsReplaced(int error) { return error == ENOENT || error == ENOTDIR || error == ELOOP || error == ENXIO; }

Status Explain(Status status) {
  if (!IsReplaced(status.error())) return status;
  return Status(Code::kChanged, "was removed or replaced after the tree was walked");
}

int OpenFile(int directory, const char* name, bool may_spare_atime) {
  // O_NONBLOCK: a FIFO that has taken the file's place must not hold us up.
  constexpr int kFlags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
  int fd = -1;
  if (may_spare_atime) fd = openat(directory, name, kFlags | O_NOATIME);
  if (!may_spare_atime || (fd < 0 && errno == EPERM)) fd = openat(directory, name, kFlags);
  return fd;
}

}  // namespace

Status CompareWithWalk(const PackCatalogue& catalogue, uint32_t entry, const struct stat& status) {
  const AttributesRow& row = catalogue.Row(entry);
  auto changed = [](const char* what) {
    return Status(Code::kChanged, std::string(what) + " since the tree was walked");
  };
  if ((status.st_mode & S_IFMT) != (row.mode & S_IFMT)) return changed("was replaced by another type of file");
  if (S_ISREG(row.mode) && static_cast<uint64_t>(status.st_size) != catalogue.sizes[entry]) {
    return Status(Code::kChanged, "expected " + std::to_string(catalogue.sizes[entry]) +
                                      " bytes as when the tree was walked, found " + std::to_string(status.st_size));
  }
  if (status.st_mtim.tv_sec != catalogue.seconds[entry] ||
      static_cast<uint32_t>(status.st_mtim.tv_nsec) != catalogue.nanoseconds[entry]) {
    const std::string now = PaxTime(status.st_mtim.tv_sec, static_cast<uint32_t>(status.st_mtim.tv_nsec));
    const std::string then = PaxTime(catalogue.seconds[entry], catalogue.nanoseconds[entry]);
    return Status(Code::kChanged,
                  "was modified: expected mtime " + then + " as when the tree was walked, found " + now);
  }
  if (status.st_mode != row.mode) return changed("got other permissions");
  if (status.st_uid != row.uid || status.st_gid != row.gid) return changed("got another owner");
  if (StampOf(status) != (catalogue.stamps[entry] & ~kStampedLately))
    return changed("was replaced, or its inode changed,");
  return Status();
}

FileReader::FileReader(const PackCatalogue* catalogue, size_t directories)
    : catalogue_(*catalogue), user_(geteuid()), opener_(catalogue, directories) {}

Status FileReader::Locate(uint32_t entry, int* directory, std::string* name) {
  if (catalogue_.IsTop(entry)) {
    *directory = AT_FDCWD;
    *name = catalogue_.SourceOf(entry).absolute;
    return Status();
  }
  name->assign(catalogue_.name(entry));
  return Explain(opener_.Open(catalogue_.parents[entry], directory));
}

Status FileReader::Open(uint32_t entry, UniqueFd* fd) {
  int directory;
  std::string name;
  SHOAL_RETURN_IF_ERROR(Locate(entry, &directory, &name));
  int opened;
  do {
    opened = OpenFile(directory, name.c_str(), user_ == 0 || user_ == catalogue_.Row(entry).uid);
  } while (opened < 0 && errno == EINTR);
  if (opened < 0) return Explain(Status::FromErrno("cannot open", name, errno));
  fd->reset(opened);
  if ((catalogue_.stamps[entry] & kStampedLately) != 0) AwaitWriters(opened);
  return Status();
}

// A write stamps a file when it begins, and may then take long: one that has stamped it before the walk would change it
// while it is read, and no check would notice. So a file that was stamped lately is read only when no such write is
// under way any more, and when a write that begins now would stamp it anew.
void FileReader::AwaitWriters(int fd) {
  constexpr int64_t kSecond = 1000000000, kTick = 20000000;  // nanoseconds; clocks that stamp tick every 1 to 10 ms
  constexpr timespec kPause = {0, 1000000};
  struct statx status;
  // What opening the file has brought is enough: no request to a server for this.
  if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_CTIME, &status) != 0) return;
  timespec now;
  clock_gettime(CLOCK_REALTIME_COARSE, &now);
  // Waits for the lock that a write holds from its stamp to its last byte. On network storage it would be a request,
  // and servers answer reads when they have that lock.
  if (KindOf(fd, makedev(status.stx_dev_major, status.stx_dev_minor)) == StorageKind::kLocal) lseek(fd, 0, SEEK_DATA);
  if (status.stx_ctime.tv_sec > now.tv_sec + 1) return;  // a clock that is wrong
  const bool has_seconds_only = status.stx_ctime.tv_nsec == 0;
  for (;;) {
    const int64_t ahead = (status.stx_ctime.tv_sec - now.tv_sec) * kSecond + status.stx_ctime.tv_nsec - now.tv_nsec +
                          (has_seconds_only ? kSecond - 1 : 0);
    if (ahead < 0 || ahead > (has_seconds_only ? kSecond : kTick)) return;
    nanosleep(&kPause, nullptr);
    clock_gettime(CLOCK_REALTIME_COARSE, &now);
  }
}

// Files of one device are on storage of one kind.
StorageKind FileReader::KindOf(int fd, dev_t device) {
  if (!has_kind_ || device != device_) {
    kind_ = KindOfStorage(fd);
    device_ = device;
    has_kind_ = true;
  }
  return kind_;
}

Status FileReader::ReadStored(uint32_t entry, int fd, uint64_t offset, char* to, size_t size) {
  const ExtentList* list = FindExtents(catalogue_, entry);
  const Extent whole{0, catalogue_.sizes[entry], 0, 0};
  const Extent* extent = list == nullptr ? &whole : list->extents.data();
  while (size > 0) {
    if (offset >= extent->length) {
      offset -= (extent++)->length;
      continue;
    }
    const size_t part = static_cast<size_t>(std::min<uint64_t>(size, extent->length - offset));
    size_t got = 0;
    SHOAL_RETURN_IF_ERROR(ReadUpTo(fd, "", extent->file_offset + offset, to, part, &got));
    if (got < part) return Status(Code::kChanged, "became shorter while it was read");
    to += part;
    size -= part;
    offset = 0;
    extent++;
  }
  return Status();
}

Status FileReader::Check(uint32_t entry, int fd) {
  struct stat status;
  if (fstat(fd, &status) != 0) return Status::FromErrno("cannot stat", "", errno);
  return CompareWithWalk(catalogue_, entry, status);
}

Status FileReader::CheckPath(uint32_t entry) {
  int directory;
  std::string name;
  SHOAL_RETURN_IF_ERROR(Locate(entry, &directory, &name));
  struct stat status;
  if (fstatat(directory, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0)
    return Explain(Status::FromErrno("cannot stat", name, errno));
  return CompareWithWalk(catalogue_, entry, status);
}

}  // namespace shoal
