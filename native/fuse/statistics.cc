#include "fuse/statistics.h"

#include <unistd.h>

#include "fuse/protocol.h"

namespace shoal::fuse {
namespace {

// In the order of RequestKind.
constexpr const char* kKindNames[] = {"lookup",    "getattr", "readlink", "read",  "readdir", "readdirplus", "getxattr",
                                      "listxattr", "open",    "statfs",   "lseek", "forget",  "other"};
static_assert(sizeof kKindNames / sizeof *kKindNames == kRequestKinds, "a name for each kind");

struct Feature {
  uint64_t flag;
  const char* name;
};
constexpr Feature kFeatures[] = {
    {kAsyncRead, "async_read"},
    {kExportSupport, "export_support"},
    {kDoReaddirplus, "do_readdirplus"},
    {kAsyncDio, "async_dio"},
    {kNoOpenSupport, "no_open_support"},
    {kParallelDirops, "parallel_dirops"},
    {kPosixAcl, "posix_acl"},
    {kMaxPages, "max_pages"},
    {kCacheSymlinks, "cache_symlinks"},
    {kNoOpendirSupport, "no_opendir_support"},
    {kOverIoUring, "over_io_uring"},
};

// Pages of the longest READ of a kernel that was not told (FUSE_DEFAULT_MAX_PAGES_PER_REQ).
constexpr uint32_t kUntoldPages = 32;

}  // namespace

RequestKind KindOf(uint32_t opcode) {
  switch (static_cast<Opcode>(opcode)) {
    case Opcode::kLookup:
      return RequestKind::kLookup;
    case Opcode::kGetattr:
      return RequestKind::kGetattr;
    case Opcode::kReadlink:
      return RequestKind::kReadlink;
    case Opcode::kRead:
      return RequestKind::kRead;
    case Opcode::kReaddir:
      return RequestKind::kReaddir;
    case Opcode::kReaddirplus:
      return RequestKind::kReaddirplus;
    case Opcode::kGetxattr:
      return RequestKind::kGetxattr;
    case Opcode::kListxattr:
      return RequestKind::kListxattr;
    case Opcode::kOpen:
    case Opcode::kOpendir:
      return RequestKind::kOpen;
    case Opcode::kStatfs:
      return RequestKind::kStatfs;
    case Opcode::kLseek:
      return RequestKind::kLseek;
    case Opcode::kForget:
    case Opcode::kBatchForget:
      return RequestKind::kForget;
    default:
      return RequestKind::kOther;
  }
}

const char* KindName(RequestKind kind) { return kKindNames[static_cast<size_t>(kind)]; }

void Statistics::Add(const Recorder& recorder) {
  for (size_t kind = 0; kind < kRequestKinds; kind++) {
    requests[kind].latencies.Add(recorder.kinds_[kind].latencies);
    requests[kind].errors += recorder.kinds_[kind].errors.Get();
  }
  served_bytes += recorder.served_bytes_.Get();
}

void Statistics::Add(const Image& image) {
  const ReadCounters& counters = image.counters();
  storage_reads += counters.storage_reads.Sum();
  storage_bytes += counters.storage_bytes.Sum();
  cache_hits += counters.cache_hits.Sum();
  cache_misses += counters.cache_misses.Sum();
  retries += counters.retries.Sum();
  checksum_failures += counters.checksum_failures.Sum();
}

void Statistics::Set(const Negotiation& agreed) {
  minor = agreed.reply.minor;
  flags = agreed.reply.flags | uint64_t{agreed.reply.flags2} << 32;
  const uint32_t pages = (flags & kMaxPages) != 0 ? agreed.reply.max_pages : kUntoldPages;
  max_read = pages * static_cast<uint32_t>(sysconf(_SC_PAGESIZE));
}

std::vector<std::string> FeatureNames(uint64_t flags) {
  std::vector<std::string> names;
  for (const Feature& feature : kFeatures) {
    if ((flags & feature.flag) != 0) names.emplace_back(feature.name);
  }
  return names;
}

}  // namespace shoal::fuse
