// The operations that tell what an entry is: its attributes, and the extended ones.
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "core/bytes.h"
#include "fuse/answers.h"
#include "fuse/operations.h"

namespace shoal::fuse {
namespace {

// Where a READ begins and how much it takes is for readahead to say; programs that follow st_blksize get whole chunks,
// each checked once.
constexpr uint32_t kBlockSize = format::kChunkLength;

// An image gives directories no bytes. Programs that take a size of 0 for "empty" are told what ext4 tells of small
// ones.
constexpr uint64_t kDirectorySize = 4096;

// How many directories a merged one shows is not counted for its attributes: overlayfs and btrfs tell 1 then, and
// programs that count on it, such as find, know.
constexpr uint32_t kUncountedLinks = 1;

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

Answer Operations::Getattr(const Place& at, Workspace& workspace) {
  Entry entry;
  auto* out = Fresh<AttrOut>(workspace);
  out->attr_valid = WholeSeconds(lifetimes_.attributes);
  out->attr_valid_nsec = RestNanoseconds(lifetimes_.attributes);
  Status status = tree_.index(at).Resolve(at.number, &entry);
  if (status.ok()) status = FillAttr(at.layer, entry, &out->attr, workspace);
  return status.ok() ? Give(out, sizeof *out) : Fail(status, at);
}

Answer Operations::Getxattr(const Place& at, uint32_t size, std::string_view name, Workspace& workspace) {
  Entry entry;
  Status status = tree_.index(at).Resolve(at.number, &entry);
  if (!status.ok()) return Fail(status, at);
  if (entry.xattrs == format::kNoXattrs) return Refuse(ENODATA);
  workspace.xattrs.clear();
  status = tree_.index(at).Xattrs(entry.xattrs, &workspace.xattrs);
  if (!status.ok()) return Fail(status, at);
  for (const Xattr& xattr : workspace.xattrs) {
    if (xattr.name != name) continue;
    if (xattr.value.size() > workspace.capacity) return Refuse(E2BIG);
    std::memcpy(workspace.room, xattr.value.data(), xattr.value.size());
    if (name == "system.posix_acl_access") MaskAcl(presentation_.MaskOf(entry), workspace.room, xattr.value.size());
    return GiveSized(xattr.value.size(), size, workspace);
  }
  return Refuse(ENODATA);
}

Answer Operations::Listxattr(const Place& at, uint32_t size, Workspace& workspace) {
  Entry entry;
  Status status = tree_.index(at).Resolve(at.number, &entry);
  if (!status.ok()) return Fail(status, at);
  workspace.xattrs.clear();
  if (entry.xattrs != format::kNoXattrs) status = tree_.index(at).Xattrs(entry.xattrs, &workspace.xattrs);
  if (!status.ok()) return Fail(status, at);
  size_t length = 0;
  for (const Xattr& xattr : workspace.xattrs) {
    if (length + xattr.name.size() + 1 > workspace.capacity) return Refuse(E2BIG);
    std::memcpy(workspace.room + length, xattr.name.data(), xattr.name.size());
    length += xattr.name.size();
    workspace.room[length++] = 0;
  }
  return GiveSized(length, size, workspace);
}

Status Operations::FillEntry(uint32_t layer, const Entry& entry, EntryOut* out, Workspace& workspace) const {
  out->nodeid = tree_.NodeOf({layer, entry.number});
  out->entry_valid = WholeSeconds(lifetimes_.entry);
  out->entry_valid_nsec = RestNanoseconds(lifetimes_.entry);
  out->attr_valid = WholeSeconds(lifetimes_.attributes);
  out->attr_valid_nsec = RestNanoseconds(lifetimes_.attributes);
  return FillAttr(layer, entry, &out->attr, workspace);
}

Status Operations::FillAttr(uint32_t layer, const Entry& entry, Attr* attr, Workspace& workspace) const {
  uint64_t stored = entry.size;
  if (entry.IsFile() && entry.volume == format::kExtentListVolume) {
    workspace.extents.clear();
    SHOAL_RETURN_IF_ERROR(tree_.layers()[layer]->index().Extents(entry, &workspace.extents));
    stored = 0;
    for (const Extent& extent : workspace.extents) stored += extent.length;
  }
  attr->ino = tree_.NodeOf({layer, entry.number});
  attr->size = entry.IsDirectory() ? kDirectorySize : entry.size;
  attr->blocks = entry.IsFile() ? (stored + 511) / 512 : 0;
  attr->atime = attr->mtime = attr->ctime = static_cast<uint64_t>(entry.seconds);
  attr->atimensec = attr->mtimensec = attr->ctimensec = entry.nanoseconds;
  attr->mode = entry.mode & ~presentation_.MaskOf(entry);
  attr->nlink = entry.IsDirectory() && tree_.IsMerged({layer, entry.number}) ? kUncountedLinks : entry.nlink;
  attr->uid = presentation_.uid.value_or(entry.uid);
  attr->gid = presentation_.gid.value_or(entry.gid);
  attr->rdev = IsDevice(entry) ? EncodeDevice(entry.device_major, entry.device_minor) : 0;
  attr->blksize = kBlockSize;
  return Status();
}

}  // namespace shoal::fuse
