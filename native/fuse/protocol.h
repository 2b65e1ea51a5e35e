// The kernel's FUSE protocol, version 7: what passes over /dev/fuse. Defined here because the headers of an old
// distribution lack what a new kernel speaks. Names and values are those of include/uapi/linux/fuse.h; only what this
// server reads or writes is here.
#pragma once

#include <sys/ioctl.h>

#include <cstddef>
#include <cstdint>

namespace shoal::fuse {

constexpr uint32_t kMajor = 7;
constexpr uint32_t kMinor = 45;        // Linux 6.18; later kernels speak this one with us
constexpr uint32_t kOldestMinor = 23;  // Linux 3.15: the reply to INIT has its present length

constexpr uint32_t kMinReadBuffer = 8192;  // a read of the device with less room fails

enum class Opcode : uint32_t {
  kLookup = 1,
  kForget = 2,  // no reply
  kGetattr = 3,
  kSetattr = 4,
  kReadlink = 5,
  kSymlink = 6,
  kMknod = 8,
  kMkdir = 9,
  kUnlink = 10,
  kRmdir = 11,
  kRename = 12,
  kLink = 13,
  kOpen = 14,
  kRead = 15,
  kWrite = 16,
  kStatfs = 17,
  kRelease = 18,
  kSetxattr = 21,
  kGetxattr = 22,
  kListxattr = 23,
  kRemovexattr = 24,
  kInit = 26,
  kOpendir = 27,
  kReaddir = 28,
  kReleasedir = 29,
  kCreate = 35,
  kInterrupt = 36,  // no reply
  kDestroy = 38,
  kIoctl = 39,
  kBatchForget = 42,  // no reply
  kFallocate = 43,
  kReaddirplus = 44,
  kRename2 = 45,
  kLseek = 46,
  kCopyFileRange = 47,
  kTmpfile = 51,
  kCopyFileRange64 = 53,
};

// Flags of INIT. Bits from 32 on travel in flags2, and only where kInitExt is set.
constexpr uint64_t kAsyncRead = 1ull << 0;
constexpr uint64_t kExportSupport = 1ull << 4;      // LOOKUP of "." and ".." by node works, for file handles
constexpr uint64_t kDoReaddirplus = 1ull << 13;     //
constexpr uint64_t kAsyncDio = 1ull << 15;          //
constexpr uint64_t kNoOpenSupport = 1ull << 17;     // ENOSYS to OPEN: never asked again
constexpr uint64_t kParallelDirops = 1ull << 18;    //
constexpr uint64_t kPosixAcl = 1ull << 20;          // permission checks ask for POSIX ACLs, as extended attributes
constexpr uint64_t kMaxPages = 1ull << 22;          // max_pages of the reply counts
constexpr uint64_t kCacheSymlinks = 1ull << 23;     //
constexpr uint64_t kNoOpendirSupport = 1ull << 24;  // ENOSYS to OPENDIR: never asked again
constexpr uint64_t kInitExt = 1ull << 30;           // flags2 counts
constexpr uint64_t kOverIoUring = 1ull << 41;       // requests come in rings, once all are served

constexpr uint32_t kOpenKeepCache = 1 << 1;
constexpr uint32_t kOpenCacheDir = 1 << 3;

struct InHeader {
  uint32_t len;
  uint32_t opcode;
  uint64_t unique;
  uint64_t nodeid;
  uint32_t uid;
  uint32_t gid;
  uint32_t pid;
  uint16_t total_extlen;
  uint16_t padding;
};

struct OutHeader {
  uint32_t len;
  int32_t error;  // 0 or a negative errno
  uint64_t unique;
};

struct InitIn {
  uint32_t major;
  uint32_t minor;
  uint32_t max_readahead;
  uint32_t flags;
  uint32_t flags2;  // from here on only from minor 36 on
  uint32_t unused[11];
};
constexpr size_t kShortInitIn = 16;

struct InitOut {
  uint32_t major;
  uint32_t minor;
  uint32_t max_readahead;
  uint32_t flags;
  uint16_t max_background;
  uint16_t congestion_threshold;
  uint32_t max_write;
  uint32_t time_gran;
  uint16_t max_pages;
  uint16_t map_alignment;
  uint32_t flags2;
  uint32_t max_stack_depth;
  uint16_t request_timeout;
  uint16_t unused[11];
};

struct Attr {
  uint64_t ino;
  uint64_t size;
  uint64_t blocks;
  uint64_t atime;
  uint64_t mtime;
  uint64_t ctime;
  uint32_t atimensec;
  uint32_t mtimensec;
  uint32_t ctimensec;
  uint32_t mode;
  uint32_t nlink;
  uint32_t uid;
  uint32_t gid;
  uint32_t rdev;
  uint32_t blksize;
  uint32_t flags;
};

struct AttrOut {
  uint64_t attr_valid;
  uint32_t attr_valid_nsec;
  uint32_t dummy;
  Attr attr;
};

struct EntryOut {
  uint64_t nodeid;  // 0: there is no such name, and that may be remembered
  uint64_t generation;
  uint64_t entry_valid;
  uint64_t attr_valid;
  uint32_t entry_valid_nsec;
  uint32_t attr_valid_nsec;
  Attr attr;
};

struct OpenOut {
  uint64_t fh;
  uint32_t open_flags;
  uint32_t padding;
};

// READ, READDIR and READDIRPLUS.
struct ReadIn {
  uint64_t fh;
  uint64_t offset;
  uint32_t size;
  uint32_t read_flags;
  uint64_t lock_owner;
  uint32_t flags;
  uint32_t padding;
};

// Each record's name follows it, padded with zeros to a multiple of 8.
struct Dirent {
  uint64_t ino;
  uint64_t off;  // where the next READDIR goes on
  uint32_t namelen;
  uint32_t type;
};

struct Direntplus {
  EntryOut entry;
  Dirent dirent;
};

constexpr size_t RecordLength(size_t header, size_t name) { return (header + name + 7) & ~size_t{7}; }

struct StatfsOut {
  uint64_t blocks;
  uint64_t bfree;
  uint64_t bavail;
  uint64_t files;
  uint64_t ffree;
  uint32_t bsize;
  uint32_t namelen;
  uint32_t frsize;
  uint32_t padding;
  uint32_t spare[6];
};

// GETXATTR and LISTXATTR; GETXATTR's is followed by the name.
struct GetxattrIn {
  uint32_t size;  // 0: how long is it?
  uint32_t padding;
};

struct GetxattrOut {
  uint32_t size;
  uint32_t padding;
};

struct LseekIn {
  uint64_t fh;
  uint64_t offset;
  uint32_t whence;
  uint32_t padding;
};

struct LseekOut {
  uint64_t offset;
};

static_assert(sizeof(InHeader) == 40 && sizeof(OutHeader) == 16, "headers");
static_assert(sizeof(InitIn) == 64 && sizeof(InitOut) == 64, "INIT");
static_assert(sizeof(Attr) == 88 && sizeof(AttrOut) == 104 && sizeof(EntryOut) == 128, "attributes");
static_assert(sizeof(OpenOut) == 16 && sizeof(ReadIn) == 40, "OPEN, READ");
static_assert(sizeof(Dirent) == 24 && sizeof(Direntplus) == 152, "directories");
static_assert(sizeof(StatfsOut) == 80 && sizeof(GetxattrIn) == 8 && sizeof(GetxattrOut) == 8, "STATFS, xattrs");
static_assert(sizeof(LseekIn) == 24 && sizeof(LseekOut) == 8, "LSEEK");

// Attaches a freshly opened /dev/fuse to the session of another descriptor, whose number is the argument.
constexpr unsigned long kDeviceClone = _IOR(229, 0, uint32_t);

}  // namespace shoal::fuse
