#include "fuse/negotiate.h"

#include <algorithm>

namespace shoal::fuse {
namespace {

// An image never changes, so everything that lets the kernel keep, combine or parallelise is wanted. READDIRPLUS
// always, not when the kernel guesses that it pays (FUSE_READDIRPLUS_AUTO): find and ls -l read a whole directory
// before they stat its first entry, and the guess comes too late for them. POSIX and BSD locks are not taken, so the
// kernel keeps them itself.
constexpr uint64_t kWanted = kAsyncRead | kExportSupport | kDoReaddirplus | kAsyncDio | kNoOpenSupport |
                             kParallelDirops | kMaxPages | kCacheSymlinks | kNoOpendirSupport;
static_assert((kWanted >> 32) == 0, "nothing of flags2 is wanted, so kInitExt is not answered");

// READs under way for readahead, where the kernel's default of 12 leaves server threads without work; and where it
// regards us as congested.
constexpr uint16_t kMaxBackground = 64;
constexpr uint16_t kCongestionThreshold = 48;

// Nothing is ever written; the least that kernels take. It sizes the buffer for requests.
constexpr uint32_t kMaxWrite = 4096;

}  // namespace

Negotiation Negotiate(const InitIn& offer, size_t size, bool acls) {
  Negotiation result;
  result.reply.major = kMajor;
  result.reply.minor = kMinor;
  if (size < kShortInitIn || offer.major < kMajor) return result;
  if (offer.major > kMajor) {
    result.outcome = Negotiation::Outcome::kRetry;
    return result;
  }
  if (offer.minor < kOldestMinor) return result;

  const uint32_t agreed = offer.flags & static_cast<uint32_t>(kWanted | (acls ? kPosixAcl : 0));
  result.outcome = Negotiation::Outcome::kAgreed;
  result.no_open = (agreed & kNoOpenSupport) != 0;
  result.no_opendir = (agreed & kNoOpendirSupport) != 0;
  result.reply.minor = std::min(offer.minor, kMinor);
  result.reply.max_readahead = offer.max_readahead;
  result.reply.flags = agreed;
  result.reply.max_background = kMaxBackground;
  result.reply.congestion_threshold = kCongestionThreshold;
  result.reply.max_write = kMaxWrite;
  result.reply.time_gran = 1;  // nanoseconds: mtimes are exact
  result.reply.max_pages = (agreed & kMaxPages) != 0 ? kRequestPages : 0;
  return result;
}

}  // namespace shoal::fuse
