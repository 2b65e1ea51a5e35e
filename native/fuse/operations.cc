#include "fuse/operations.h"

#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "core/bytes.h"

namespace shoal::fuse {
namespace {

// An image never changes, so names and attributes hold for ever: 136 years, which every kernel can count in jiffies.
constexpr uint64_t kForEver = 0xFFFFFFFF;

// Where a READ begins and how much it takes is for readahead to say; programs that follow st_blksize get whole chunks,
// each checked once.
constexpr uint32_t kBlockSize = format::kChunkLength;

// An image gives directories no bytes. Programs that take a size of 0 for "empty" are told what ext4 tells of small
// ones.
constexpr uint64_t kDirectorySize = 4096;

constexpr uint32_t kStatfsBlock = 4096;

// Entries told to the log; what is damaged beyond that is one fault of the storage, not a hundred thousand.
constexpr size_t kMaxTold = 1000;

// A request whose answer was copied while a page of the index failed is handled again.
constexpr int kTries = 3;

// Positions in a directory: 0 is before ".", 1 before "..", 2 + k before child k.
constexpr uint64_t kFirstChildPosition = 2;

uint64_t NodeOf(uint32_t number) { return uint64_t{number} + 1; }

Answer Refuse(int error) {
  Answer answer;
  answer.error = error;
  return answer;
}

Answer NoReply() {
  Answer answer;
  answer.expected = false;
  return answer;
}

Answer Give(const void* data, size_t size) {
  Answer answer;
  answer.data = data;
  answer.size = size;
  return answer;
}

// A reply of fixed size, zeroed, in the workspace.
template <typename T>
T* Fresh(Workspace& workspace) {
  std::memset(workspace.room, 0, sizeof(T));
  return reinterpret_cast<T*>(workspace.room);
}

template <typename T>
bool Take(std::string_view body, T* out) {
  if (body.size() < sizeof(T)) return false;
  std::memcpy(out, body.data(), sizeof(T));
  return true;
}

// A name in a request ends with a zero.
std::string_view TakeName(std::string_view body) { return body.substr(0, body.find('\0')); }

// The kernel's 32-bit form of a device number (new_encode_dev in include/linux/kdev_t.h).
uint32_t EncodeDevice(uint32_t major, uint32_t minor) {
  return (minor & 0xFF) | (major << 8) | ((minor & ~0xFFu) << 12);
}

bool IsDevice(const Entry& entry) { return S_ISCHR(entry.mode) || S_ISBLK(entry.mode); }

// Takes the umask's bits from an access control list, too (include/uapi/linux/posix_acl_xattr.h: a version of four
// bytes, then entries of a tag and permissions of two bytes each and an id of four).
void MaskAcl(uint32_t umask, uint8_t* acl, size_t size) {
  constexpr uint16_t kUserObj = 0x01, kUser = 0x02, kGroupObj = 0x04, kGroup = 0x08, kMask = 0x10, kOther = 0x20;
  for (size_t at = 4; at + 8 <= size; at += 8) {
    const auto tag = Load<uint16_t>(acl + at);
    uint32_t taken = 0;
    if (tag == kUserObj) taken = umask >> 6;
    if (tag == kUser || tag == kGroupObj || tag == kGroup || tag == kMask) taken = umask >> 3;
    if (tag == kOther) taken = umask;
    Store<uint16_t>(acl + at + 2, static_cast<uint16_t>(Load<uint16_t>(acl + at + 2) & ~(taken & 7)));
  }
}

// The answer to how long an attribute is, or what it is (getxattr(2)). `length` bytes stand in the workspace.
Answer GiveSized(size_t length, uint32_t room, Workspace& workspace) {
  if (room == 0) {
    auto* out = Fresh<GetxattrOut>(workspace);
    out->size = static_cast<uint32_t>(length);
    return Give(out, sizeof *out);
  }
  if (length > room) return Refuse(ERANGE);
  return Give(workspace.room, length);
}

}  // namespace

Operations::Operations(const Image& image, const Presentation& presentation, Log log)
    : image_(image), index_(image.index()), presentation_(presentation), log_(std::move(log)) {
  if (!index_.MayHaveAcls(&has_acls_).ok()) has_acls_ = true;
}

void Operations::SetZeroMessageOpens(bool files, bool directories) {
  open_error_ = files ? ENOSYS : 0;
  opendir_error_ = directories ? ENOSYS : 0;
}

Answer Operations::Handle(const InHeader& header, std::string_view body, Workspace& workspace) {
  for (int tries = 0; tries < kTries; tries++) {
    const uint64_t faults = index_.faults();
    const Answer answer = HandleOnce(header, body, workspace);
    if (index_.faults() == faults) return answer;
  }
  const uint64_t number = std::min<uint64_t>(std::max<uint64_t>(header.nodeid, 1), index_.entry_count()) - 1;
  return Fail(Status(Code::kIo, "storage does not give the index"), static_cast<uint32_t>(number));
}

// Copies what it gives out of the map, so that a fault while copying is seen above.
Answer Operations::HandleOnce(const InHeader& header, std::string_view body, Workspace& workspace) {
  const auto opcode = static_cast<Opcode>(header.opcode);
  if (opcode == Opcode::kForget || opcode == Opcode::kBatchForget || opcode == Opcode::kInterrupt) return NoReply();
  if (opcode == Opcode::kDestroy) return Answer();
  if (opcode == Opcode::kStatfs) return Statfs(workspace);

  // Nodes come back from programs as file handles, too (open_by_handle_at(2)): they need not be any that was given out.
  if (header.nodeid == 0 || header.nodeid > index_.entry_count()) return Refuse(ESTALE);
  const auto number = static_cast<uint32_t>(header.nodeid - 1);

  switch (opcode) {
    case Opcode::kLookup:
      return Lookup(number, TakeName(body), workspace);
    case Opcode::kGetattr:
      return Getattr(number, workspace);
    case Opcode::kReadlink:
      return Readlink(number, workspace);
    case Opcode::kRead: {
      ReadIn in;
      return Take(body, &in) ? Read(number, in, workspace) : Refuse(EINVAL);
    }
    case Opcode::kReaddir:
    case Opcode::kReaddirplus: {
      ReadIn in;
      return Take(body, &in) ? Readdir(number, in, opcode == Opcode::kReaddirplus, workspace) : Refuse(EINVAL);
    }
    case Opcode::kOpen:
    case Opcode::kOpendir: {
      const bool directory = opcode == Opcode::kOpendir;
      const int error = directory ? opendir_error_ : open_error_;
      if (error != 0) return Refuse(error);
      auto* out = Fresh<OpenOut>(workspace);
      out->open_flags = kOpenKeepCache | (directory ? kOpenCacheDir : 0);
      return Give(out, sizeof *out);
    }
    case Opcode::kRelease:
    case Opcode::kReleasedir:
      return Answer();
    case Opcode::kGetxattr: {
      GetxattrIn in;
      if (!index_.has_xattrs()) return Refuse(ENOSYS);
      if (!Take(body, &in)) return Refuse(EINVAL);
      return Getxattr(number, in.size, TakeName(body.substr(sizeof in)), workspace);
    }
    case Opcode::kListxattr: {
      GetxattrIn in;
      return Take(body, &in) ? Listxattr(number, in.size, workspace) : Refuse(EINVAL);
    }
    case Opcode::kLseek: {
      LseekIn in;
      return Take(body, &in) ? Lseek(number, in, workspace) : Refuse(EINVAL);
    }
    case Opcode::kIoctl:
      return Refuse(ENOTTY);
    case Opcode::kSetattr:
    case Opcode::kSymlink:
    case Opcode::kMknod:
    case Opcode::kMkdir:
    case Opcode::kUnlink:
    case Opcode::kRmdir:
    case Opcode::kRename:
    case Opcode::kRename2:
    case Opcode::kLink:
    case Opcode::kWrite:
    case Opcode::kSetxattr:
    case Opcode::kRemovexattr:
    case Opcode::kCreate:
    case Opcode::kFallocate:
    case Opcode::kTmpfile:
    case Opcode::kCopyFileRange:
    case Opcode::kCopyFileRange64:
      return Refuse(EROFS);
    default:
      // ACCESS, FLUSH, FSYNC, STATX and what is not invented yet: the kernel does without, and stops asking.
      return Refuse(ENOSYS);
  }
}

Answer Operations::Lookup(uint32_t directory, std::string_view name, Workspace& workspace) {
  Entry parent;
  Status status = index_.Get(directory, &parent);
  if (!status.ok()) return Fail(status, directory);

  uint32_t found = IndexView::kNone;
  if (name == ".") {
    found = directory;  // of any type: it is how file handles are resolved
  } else if (!parent.IsDirectory()) {
    return Refuse(ENOTDIR);
  } else if (name == "..") {
    found = parent.parent;
  } else {
    if (name.size() > format::kMaxNameLength) return Refuse(ENAMETOOLONG);
    status = index_.Lookup(parent, name, &found);
    if (!status.ok()) return Fail(status, directory);
  }

  auto* out = Fresh<EntryOut>(workspace);
  if (found == IndexView::kNone) {
    out->entry_valid = kForEver;
    return Give(out, sizeof *out);
  }
  Entry entry;
  status = index_.Resolve(found, &entry);
  if (status.ok()) status = FillEntry(entry, out, workspace);
  return status.ok() ? Give(out, sizeof *out) : Fail(status, found);
}

Answer Operations::Getattr(uint32_t number, Workspace& workspace) {
  Entry entry;
  auto* out = Fresh<AttrOut>(workspace);
  out->attr_valid = kForEver;
  Status status = index_.Resolve(number, &entry);
  if (status.ok()) status = FillAttr(entry, &out->attr, workspace);
  return status.ok() ? Give(out, sizeof *out) : Fail(status, number);
}

Answer Operations::Readlink(uint32_t number, Workspace& workspace) {
  Entry entry;
  std::string_view target;
  Status status = index_.Resolve(number, &entry);
  if (status.ok() && !entry.IsSymlink()) return Refuse(EINVAL);
  if (status.ok()) status = index_.LinkTarget(entry, &target);
  if (!status.ok()) return Fail(status, number);
  if (target.size() >= PATH_MAX) return Refuse(ENAMETOOLONG);
  std::memcpy(workspace.room, target.data(), target.size());
  return Give(workspace.room, target.size());
}

Answer Operations::Read(uint32_t number, const ReadIn& in, Workspace& workspace) {
  Entry entry;
  Status status = index_.Resolve(number, &entry);
  if (!status.ok()) return Fail(status, number);
  if (!entry.IsFile()) return Refuse(entry.IsDirectory() ? EISDIR : EINVAL);
  if (in.size > workspace.capacity) return Refuse(EIO);  // fewer bytes would mean the end of the file
  size_t got = 0;
  status = image_.Read(entry, in.offset, workspace.room, in.size, &got);
  return status.ok() ? Give(workspace.room, got) : Fail(status, number, true);
}

Answer Operations::Readdir(uint32_t number, const ReadIn& in, bool plus, Workspace& workspace) {
  Entry directory;
  Status status = index_.Get(number, &directory);
  if (!status.ok()) return Fail(status, number);
  if (!directory.IsDirectory()) return Refuse(ENOTDIR);

  const uint64_t end = kFirstChildPosition + directory.child_count;
  const size_t room = std::min<size_t>(in.size, workspace.capacity);
  size_t used = 0;
  for (uint64_t position = in.offset; position < end; position++) {
    uint32_t at = number;
    std::string_view name = ".";
    Entry entry;
    if (position == 1) {
      at = directory.parent;
      name = "..";
    } else if (position >= kFirstChildPosition) {
      at = directory.first_child + static_cast<uint32_t>(position - kFirstChildPosition);
      status = index_.Name(at, &name);
    }
    size_t length = 0;
    if (status.ok()) status = index_.Resolve(at, &entry);
    if (status.ok()) {
      status = PutRecord(entry, name, position + 1, plus, workspace.room + used, room - used, workspace, &length);
    }
    // What stands before the damage is listed; the next request begins with the damage.
    if (!status.ok()) return used > 0 ? Give(workspace.room, used) : Fail(status, at);
    if (length == 0) break;
    used += length;
  }
  return Give(workspace.room, used);
}

Status Operations::PutRecord(const Entry& entry, std::string_view name, uint64_t next, bool plus, uint8_t* to,
                             size_t room, Workspace& workspace, size_t* length) const {
  const size_t header = plus ? sizeof(Direntplus) : sizeof(Dirent);
  const size_t needed = RecordLength(header, name.size());
  *length = 0;
  if (needed > room) return Status();
  std::memset(to + needed - 8, 0, 8);  // the padding; needed is at least 32
  if (plus) {
    auto* out = reinterpret_cast<EntryOut*>(to);
    std::memset(out, 0, sizeof *out);
    SHOAL_RETURN_IF_ERROR(FillEntry(entry, out, workspace));
    // The kernel has the nodes of "." and ".."; zero tells it to take only what READDIR gives.
    if (name == "." || name == "..") out->nodeid = 0;
  }
  auto* dirent = reinterpret_cast<Dirent*>(to + header - sizeof(Dirent));
  dirent->ino = NodeOf(entry.number);
  dirent->off = next;
  dirent->namelen = static_cast<uint32_t>(name.size());
  dirent->type = entry.mode >> 12;  // DT_ values are those of st_mode
  std::memcpy(to + header, name.data(), name.size());
  *length = needed;
  return Status();
}

Answer Operations::Statfs(Workspace& workspace) {
  auto* out = Fresh<StatfsOut>(workspace);
  out->blocks = (index_.total_bytes() + kStatfsBlock - 1) / kStatfsBlock;
  out->files = index_.entry_count();
  out->bsize = kStatfsBlock;
  out->frsize = kStatfsBlock;
  out->namelen = format::kMaxNameLength;
  return Give(out, sizeof *out);
}

Answer Operations::Getxattr(uint32_t number, uint32_t size, std::string_view name, Workspace& workspace) {
  Entry entry;
  Status status = index_.Resolve(number, &entry);
  if (!status.ok()) return Fail(status, number);
  if (entry.xattrs == format::kNoXattrs) return Refuse(ENODATA);
  workspace.xattrs.clear();
  status = index_.Xattrs(entry.xattrs, &workspace.xattrs);
  if (!status.ok()) return Fail(status, number);
  for (const Xattr& xattr : workspace.xattrs) {
    if (xattr.name != name) continue;
    if (xattr.value.size() > workspace.capacity) return Refuse(E2BIG);
    std::memcpy(workspace.room, xattr.value.data(), xattr.value.size());
    if (name == "system.posix_acl_access") MaskAcl(presentation_.umask, workspace.room, xattr.value.size());
    return GiveSized(xattr.value.size(), size, workspace);
  }
  return Refuse(ENODATA);
}

Answer Operations::Listxattr(uint32_t number, uint32_t size, Workspace& workspace) {
  Entry entry;
  Status status = index_.Resolve(number, &entry);
  if (!status.ok()) return Fail(status, number);
  workspace.xattrs.clear();
  if (entry.xattrs != format::kNoXattrs) status = index_.Xattrs(entry.xattrs, &workspace.xattrs);
  if (!status.ok()) return Fail(status, number);
  size_t length = 0;
  for (const Xattr& xattr : workspace.xattrs) {
    if (length + xattr.name.size() + 1 > workspace.capacity) return Refuse(E2BIG);
    std::memcpy(workspace.room + length, xattr.name.data(), xattr.name.size());
    length += xattr.name.size();
    workspace.room[length++] = 0;
  }
  return GiveSized(length, size, workspace);
}

Answer Operations::Lseek(uint32_t number, const LseekIn& in, Workspace& workspace) {
  Entry entry;
  Status status = index_.Resolve(number, &entry);
  if (!status.ok()) return Fail(status, number);
  if (!entry.IsFile() || (in.whence != SEEK_DATA && in.whence != SEEK_HOLE)) return Refuse(EINVAL);
  if (in.offset >= entry.size) return Refuse(ENXIO);
  workspace.extents.clear();
  status = index_.Extents(entry, &workspace.extents);
  if (!status.ok()) return Fail(status, number);

  uint64_t at = in.offset;  // moves over extents that touch each other
  for (const Extent& extent : workspace.extents) {
    if (extent.file_offset + extent.length <= at) continue;
    if (in.whence == SEEK_DATA) {
      at = std::max(at, extent.file_offset);
      break;
    }
    if (extent.file_offset > at) break;
    at = extent.file_offset + extent.length;
  }
  const bool any_after =
      !workspace.extents.empty() && workspace.extents.back().file_offset + workspace.extents.back().length > in.offset;
  if (in.whence == SEEK_DATA && !any_after) return Refuse(ENXIO);
  auto* out = Fresh<LseekOut>(workspace);
  out->offset = at;
  return Give(out, sizeof *out);
}

Status Operations::FillEntry(const Entry& entry, EntryOut* out, Workspace& workspace) const {
  out->nodeid = NodeOf(entry.number);
  out->entry_valid = kForEver;
  out->attr_valid = kForEver;
  return FillAttr(entry, &out->attr, workspace);
}

Status Operations::FillAttr(const Entry& entry, Attr* attr, Workspace& workspace) const {
  uint64_t stored = entry.size;
  if (entry.IsFile() && entry.volume == format::kExtentListVolume) {
    workspace.extents.clear();
    SHOAL_RETURN_IF_ERROR(index_.Extents(entry, &workspace.extents));
    stored = 0;
    for (const Extent& extent : workspace.extents) stored += extent.length;
  }
  attr->ino = NodeOf(entry.number);
  attr->size = entry.IsDirectory() ? kDirectorySize : entry.size;
  attr->blocks = entry.IsFile() ? (stored + 511) / 512 : 0;
  attr->atime = attr->mtime = attr->ctime = static_cast<uint64_t>(entry.seconds);
  attr->atimensec = attr->mtimensec = attr->ctimensec = entry.nanoseconds;
  attr->mode = entry.mode & ~(presentation_.umask & 07777);
  attr->nlink = entry.nlink;
  attr->uid = presentation_.uid.value_or(entry.uid);
  attr->gid = presentation_.gid.value_or(entry.gid);
  attr->rdev = IsDevice(entry) ? EncodeDevice(entry.device_major, entry.device_minor) : 0;
  attr->blksize = kBlockSize;
  return Status();
}

Answer Operations::Fail(const Status& status, uint32_t number, bool named) {
  const int error = ErrnoFromCode(status.code());
  std::lock_guard<std::mutex> lock(told_mutex_);
  if (told_.size() >= kMaxTold || !told_.insert(number).second) return Refuse(error);
  std::string line;
  if (!named) {
    if (!index_.Path(number, &line).ok()) line = "entry " + std::to_string(number);
    line += ": ";
  }
  line += status.message();
  if (!status.path().empty()) line += " (" + status.path();
  if (!status.path().empty() && status.offset() >= 0) line += ", offset " + std::to_string(status.offset());
  if (!status.path().empty()) line += ")";
  if (told_.size() == kMaxTold) line += "; further damaged entries are not listed";
  log_(line);
  return Refuse(error);
}

}  // namespace shoal::fuse
