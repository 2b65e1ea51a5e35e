// What a mount has done so far, and how long it took. Each server thread counts for itself, in memory that no other
// writes: counting costs two readings of the clock and a few stores per request, no lock and no cache line that
// another processor wants. Whoever asks adds the threads up.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/image.h"
#include "fuse/clock.h"
#include "fuse/latency_histogram.h"
#include "fuse/negotiate.h"
#include "fuse/operations.h"

namespace shoal::fuse {

// Requests that are told apart. OPEN and OPENDIR are one kind, as are FORGET and BATCH_FORGET.
enum class RequestKind : uint8_t {
  kLookup,
  kGetattr,
  kReadlink,
  kRead,
  kReaddir,
  kReaddirplus,
  kGetxattr,
  kListxattr,
  kOpen,
  kStatfs,
  kLseek,
  kForget,
  kOther,
};
constexpr size_t kRequestKinds = static_cast<size_t>(RequestKind::kOther) + 1;

RequestKind KindOf(uint32_t opcode);
const char* KindName(RequestKind kind);

// The counts of one server thread. Aligned so that no other thread's data share a cache line with them.
class alignas(64) Recorder {
 public:
  void Record(RequestKind kind, uint64_t nanoseconds, const Answer& answer) {
    Kind& counted = kinds_[static_cast<size_t>(kind)];
    counted.latencies.Add(nanoseconds);
    if (answer.failed) counted.errors.Add(1);
    if (kind == RequestKind::kRead) served_bytes_.Add(answer.size);
  }

 private:
  friend struct Statistics;
  struct Kind {
    LatencyHistogram latencies;
    Tally errors;
  };
  std::array<Kind, kRequestKinds> kinds_;
  Tally served_bytes_;
};

// A request from when it was read from the device until this goes out of scope; `answer` outlives it.
class Recording {
 public:
  Recording(Recorder& recorder, uint32_t opcode, const Answer& answer)
      : recorder_(recorder), opcode_(opcode), answer_(answer), began_(Now()) {}
  ~Recording() { recorder_.Record(KindOf(opcode_), static_cast<uint64_t>(Now() - began_), answer_); }
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;

 private:
  Recorder& recorder_;
  const uint32_t opcode_;
  const Answer& answer_;
  const int64_t began_;
};

struct Statistics {
  struct Requests {
    Latencies latencies;
    uint64_t errors = 0;  // those that failed; a name that is not there is an answer
  };
  std::array<Requests, kRequestKinds> requests;  // by kind
  uint64_t served_bytes = 0;                     // content that READs gave

  uint64_t storage_reads = 0;  // this and what follows as in core/counter.h
  uint64_t storage_bytes = 0;
  uint64_t cache_hits = 0;
  uint64_t cache_misses = 0;
  uint64_t retries = 0;
  uint64_t checksum_failures = 0;
  uint64_t index_faults = 0;  // pages of the index that storage did not give

  uint64_t uptime_nanoseconds = 0;
  unsigned threads = 0;
  uint32_t minor = 0;     // of the protocol that is spoken
  uint32_t max_read = 0;  // bytes of the longest READ that was agreed
  uint64_t flags = 0;     // of INIT, that were agreed

  void Add(const Recorder& recorder);
  void Add(const Image& image);
  void Set(const Negotiation& agreed);
};

// What `flags` of INIT switch on, by their names in include/uapi/linux/fuse.h without FUSE_, in lower case; of flags
// that this server never agrees to, nothing.
std::vector<std::string> FeatureNames(uint64_t flags);

}  // namespace shoal::fuse
