// What may make a mount fast, each to be switched for itself: to measure what it is worth, or around a kernel's fault.
// As it is by default is what won (docs/BENCHMARKS.md).
#pragma once

#include <cstdint>

namespace shoal::fuse {

// An image never changes, so names and attributes hold for ever: 136 years, which every kernel can count in jiffies.
constexpr double kForEver = 0xFFFFFFFF;

// Seconds for which the kernel keeps what it was told.
struct Lifetimes {
  double entry = kForEver;
  double attributes = kForEver;
  double negative = kForEver;  // that a name is missing
};

struct Tuning {
  bool skip_open = true;         // OPEN is answered with ENOSYS and never asked again
  bool skip_opendir = true;      // the same for OPENDIR
  bool readdirplus = true;       // listings bring attributes
  bool cache_symlinks = true;    // the kernel keeps the targets of links
  bool parallel_dirops = true;   // lookups and listings of one directory at the same time
  bool clone_descriptor = true;  // a descriptor of /dev/fuse for each thread
  bool splice = false;           // content that is not checked is moved by the kernel alone
  bool uring = false;            // FUSE over io_uring, where the kernel offers it
  bool polling = true;           // threads poll for a moment before they sleep
  uint32_t max_read = 1 << 20;   // bytes of the longest READ
  uint32_t readahead = 1 << 20;  // bytes that the kernel reads ahead of a sequential reader
  unsigned threads = 0;          // 0: as many as processors, 2 to 8; else io_uring is not used
  Lifetimes lifetimes;
  // The kernel is asked to check permissions, because who mounted need not have told it to (default_permissions).
  bool check_permissions = false;
};

}  // namespace shoal::fuse
