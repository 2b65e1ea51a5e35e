#include "unpack/metadata_writer.h"

#include <fcntl.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>

#include "core/file.h"

namespace shoal {
namespace {

void Times(const Entry& entry, timespec times[2]) {
  times[0].tv_sec = 0;
  times[0].tv_nsec = UTIME_OMIT;
  times[1].tv_sec = static_cast<time_t>(entry.seconds);
  times[1].tv_nsec = static_cast<long>(entry.nanoseconds);
}

std::string Descriptor(int fd) { return "/proc/self/fd/" + std::to_string(fd); }

}  // namespace

MetadataWriter::MetadataWriter(const IndexView& index, ProblemList* problems)
    : index_(index), problems_(*problems), is_root_(geteuid() == 0) {}

// In this order: a change of owner takes set-user-ID bits and capabilities away, attributes may only be set while the
// mode lets its owner write, and an access control list changes the mode.
void MetadataWriter::ApplyToOpen(uint32_t place, const Entry& entry, int fd) const {
  struct stat made;
  if (fstat(fd, &made) != 0) return Fail(place, "stat", errno);
  if (is_root_ && OwnerDiffers(entry, made)) {
    if (fchown(fd, entry.uid, entry.gid) != 0) Fail(place, "owner", errno);
    if (fstat(fd, &made) != 0) return Fail(place, "stat", errno);
  }
  if (entry.xattrs != format::kNoXattrs) {
    SetXattrs(place, entry, [fd](const char* name, std::string_view value) {
      return fsetxattr(fd, name, value.data(), value.size(), 0);
    });
    if (fstat(fd, &made) != 0) return Fail(place, "stat", errno);
  }
  const uint32_t mode = Mode(place, entry, made);
  if ((made.st_mode & 07777) != mode && fchmod(fd, mode) != 0) Fail(place, "mode", errno);
  timespec times[2];
  Times(entry, times);
  if (futimens(fd, times) != 0) Fail(place, "mtime", errno);
}

void MetadataWriter::ApplyToNode(uint32_t place, const Entry& entry, int directory, const std::string& name) const {
  struct stat made;
  if (fstatat(directory, name.c_str(), &made, AT_SYMLINK_NOFOLLOW) != 0) return Fail(place, "stat", errno);
  if (is_root_ && OwnerDiffers(entry, made)) {
    if (fchownat(directory, name.c_str(), entry.uid, entry.gid, AT_SYMLINK_NOFOLLOW) != 0) Fail(place, "owner", errno);
    if (fstatat(directory, name.c_str(), &made, AT_SYMLINK_NOFOLLOW) != 0) return Fail(place, "stat", errno);
  }
  if (entry.xattrs != format::kNoXattrs) {
    const std::string path = Descriptor(directory) + "/" + name;
    SetXattrs(place, entry, [&path](const char* xattr, std::string_view value) {
      return lsetxattr(path.c_str(), xattr, value.data(), value.size(), 0);
    });
  }
  if (!entry.IsSymlink()) {
    // fchmodat would follow a symbolic link that took the name meanwhile; a descriptor does not.
    UniqueFd node(openat(directory, name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    const bool done = node.valid() && chmod(Descriptor(node.get()).c_str(), Mode(place, entry, made)) == 0;
    if (!done) Fail(place, "mode", errno);
  }
  timespec times[2];
  Times(entry, times);
  if (utimensat(directory, name.c_str(), times, AT_SYMLINK_NOFOLLOW) != 0) Fail(place, "mtime", errno);
}

bool MetadataWriter::OwnerDiffers(const Entry& entry, const struct stat& made) const {
  return made.st_uid != entry.uid || made.st_gid != entry.gid;
}

// A file that runs as its owner must not come to belong to another one.
uint32_t MetadataWriter::Mode(uint32_t place, const Entry& entry, const struct stat& made) const {
  uint32_t mode = entry.mode & 07777;
  if (entry.IsDirectory()) return mode;
  if (made.st_uid != entry.uid) mode &= ~static_cast<uint32_t>(S_ISUID);
  if (made.st_gid != entry.gid) mode &= ~static_cast<uint32_t>(S_ISGID);
  if (mode != (entry.mode & 07777)) {
    problems_.Add(place, Code::kPermission,
                  "extracted without its set-user-ID or set-group-ID bit, because its owner is another one than in the "
                  "image; extract as root");
  }
  return mode;
}

template <typename Set>
void MetadataWriter::SetXattrs(uint32_t place, const Entry& entry, const Set& set) const {
  std::vector<Xattr> xattrs;
  const Status status = index_.Xattrs(entry.xattrs, &xattrs);
  if (!status.ok()) problems_.Add(place, status);
  for (const Xattr& xattr : xattrs) {
    if (set(std::string(xattr.name).c_str(), xattr.value) != 0)
      Fail(place, "extended attribute " + Quoted(xattr.name), errno);
  }
}

void MetadataWriter::Fail(uint32_t place, const std::string& what, int error) const {
  const Status status = Status::FromErrno("", "", error);
  problems_.Add(place, status.code(), "extracted, but its " + what + " could not be set" + status.message());
}

}  // namespace shoal
