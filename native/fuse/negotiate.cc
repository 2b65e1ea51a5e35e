#include "fuse/negotiate.h"

#include <unistd.h>

#include <algorithm>

namespace shoal::fuse {
namespace {

// An image never changes, so everything that lets the kernel keep, combine or parallelise is wanted. READDIRPLUS
// always, not when the kernel guesses that it pays (FUSE_READDIRPLUS_AUTO): find and ls -l read a whole directory
// before they stat its first entry, and the guess comes too late for them. POSIX and BSD locks are not taken, so the
// kernel keeps them itself.
// Access control lists are the one thing to be agreed on that makes the kernel check permissions.
uint64_t Wanted(bool acls, const Tuning& tuning, bool ring) {
  uint64_t wanted = kAsyncRead | kExportSupport | kAsyncDio | kMaxPages;
  if (acls || tuning.check_permissions) wanted |= kPosixAcl;
  if (tuning.readdirplus) wanted |= kDoReaddirplus;
  if (tuning.skip_open) wanted |= kNoOpenSupport;
  if (tuning.skip_opendir) wanted |= kNoOpendirSupport;
  if (tuning.parallel_dirops) wanted |= kParallelDirops;
  if (tuning.cache_symlinks) wanted |= kCacheSymlinks;
  if (ring) wanted |= kInitExt | kOverIoUring;
  return wanted;
}

// READs under way for readahead, where the kernel's default of 12 leaves server threads without work; and where it
// regards us as congested.
constexpr uint16_t kMaxBackground = 64;
constexpr uint16_t kCongestionThreshold = 48;

uint16_t PagesOf(uint32_t bytes) {
  const auto page = static_cast<uint32_t>(sysconf(_SC_PAGESIZE));
  return static_cast<uint16_t>(std::clamp(bytes / page, 1u, kRequestPages));
}

// Nothing is ever written; the least that kernels take. It sizes the buffer for requests.
constexpr uint32_t kMaxWrite = 4096;

}  // namespace

Negotiation Negotiate(const InitIn& offer, size_t size, bool acls, const Tuning& tuning, uint32_t ring_reply) {
  Negotiation result;
  result.reply.major = kMajor;
  result.reply.minor = kMinor;
  if (size < kShortInitIn || offer.major < kMajor) return result;
  if (offer.major > kMajor) {
    result.outcome = Negotiation::Outcome::kRetry;
    return result;
  }
  if (offer.minor < kOldestMinor) return result;

  uint64_t offered = offer.flags;
  if ((offered & kInitExt) != 0) offered |= uint64_t{offer.flags2} << 32;
  const uint64_t agreed = offered & Wanted(acls, tuning, ring_reply != 0);
  result.outcome = Negotiation::Outcome::kAgreed;
  result.no_open = (agreed & kNoOpenSupport) != 0;
  result.no_opendir = (agreed & kNoOpendirSupport) != 0;
  result.reply.minor = std::min(offer.minor, kMinor);
  result.reply.max_readahead = offer.max_readahead;
  result.reply.flags = static_cast<uint32_t>(agreed);
  result.reply.flags2 = static_cast<uint32_t>(agreed >> 32);
  result.reply.max_background = kMaxBackground;
  result.reply.congestion_threshold = kCongestionThreshold;
  result.reply.max_write = kMaxWrite;
  result.reply.time_gran = 1;  // nanoseconds: mtimes are exact
  result.reply.max_pages = (agreed & kMaxPages) != 0 ? PagesOf(ring_reply != 0 ? ring_reply : tuning.max_read) : 0;
  return result;
}

}  // namespace shoal::fuse
