#include "core/storage.h"

#include <sys/vfs.h>

namespace shoal {
namespace {

// f_type of filesystems whose bytes lie in this machine (statfs(2), include/uapi/linux/magic.h of Linux; ZFS and
// bcachefs from their own sources). Signed in some headers: compared as 32 bits.
constexpr uint32_t kLocalTypes[] = {
    0x0000EF53,  // ext2, ext3, ext4
    0x58465342,  // xfs
    0x9123683E,  // btrfs
    0x2FC12FC1,  // zfs
    0xCA451A4E,  // bcachefs
    0xF2F52010,  // f2fs
    0x3153464A,  // jfs
    0x52654973,  // reiserfs
    0x00003434,  // nilfs
    0x01021994,  // tmpfs
    0x858458F6,  // ramfs
    0x794C7630,  // overlayfs: a container's root, whose layers lie on local disks but for rare cases
    0x73717368,  // squashfs
    0xE0F5E1E2,  // erofs
    0x00009660,  // iso9660
    0x15013346,  // udf
    0x00004D44,  // vfat
    0x2011BAB0,  // exfat
    0x5346544E,  // ntfs
    0x7366746E,  // ntfs3
    0x64646178,  // dax
    0x28CD3D45,  // cramfs
};

}  // namespace

StorageKind KindOfStorage(int fd) {
  struct statfs info;
  if (fstatfs(fd, &info) != 0) return StorageKind::kNetwork;
  const auto type = static_cast<uint32_t>(info.f_type);
  for (const uint32_t local : kLocalTypes) {
    if (type == local) return StorageKind::kLocal;
  }
  return StorageKind::kNetwork;
}

}  // namespace shoal
