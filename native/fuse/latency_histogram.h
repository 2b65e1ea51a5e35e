// How long things took, counted in buckets that grow with the time: eight for each power of two. What a bucket is
// told as is its upper bound, which is above what it holds by less than an eighth; times of up to 256 ns share the
// first bucket, times beyond 69 s the last.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace shoal::fuse {

constexpr unsigned kSubBucketBits = 3;
constexpr unsigned kShortestExponent = 8;  // 2^8 ns
constexpr unsigned kLongestExponent = 36;  // 2^36 ns
constexpr size_t kLatencyBuckets = 2 + ((kLongestExponent - kShortestExponent) << kSubBucketBits);

// The bucket that counts `nanoseconds`; upper bounds belong to their bucket.
inline size_t LatencyBucket(uint64_t nanoseconds) {
  if (nanoseconds <= 1u << kShortestExponent) return 0;
  const uint64_t below = nanoseconds - 1;
  const unsigned exponent = 63 - static_cast<unsigned>(__builtin_clzll(below));
  if (exponent >= kLongestExponent) return kLatencyBuckets - 1;
  const uint64_t part = (below >> (exponent - kSubBucketBits)) & ((1u << kSubBucketBits) - 1);
  return 1 + ((exponent - kShortestExponent) << kSubBucketBits) + part;
}

// The longest time that the bucket counts; for the last one there is none.
inline uint64_t LatencyBound(size_t bucket) {
  if (bucket == 0) return 1u << kShortestExponent;
  if (bucket == kLatencyBuckets - 1) return UINT64_MAX;
  const unsigned exponent = kShortestExponent + static_cast<unsigned>((bucket - 1) >> kSubBucketBits);
  const uint64_t parts = (1u << kSubBucketBits) + ((bucket - 1) & ((1u << kSubBucketBits) - 1)) + 1;
  return parts << (exponent - kSubBucketBits);
}

// A number that one thread writes and others may read meanwhile.
class Tally {
 public:
  void Add(uint64_t value) { value_.store(Get() + value, std::memory_order_relaxed); }
  void Raise(uint64_t value) {
    if (value > Get()) value_.store(value, std::memory_order_relaxed);
  }
  uint64_t Get() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

// Written by one thread.
class LatencyHistogram {
 public:
  void Add(uint64_t nanoseconds) {
    counts_[LatencyBucket(nanoseconds)].Add(1);
    total_.Add(nanoseconds);
    longest_.Raise(nanoseconds);
  }

 private:
  friend struct Latencies;
  std::array<Tally, kLatencyBuckets> counts_;
  Tally total_;
  Tally longest_;
};

// What histograms held when it was asked.
struct Latencies {
  std::array<uint64_t, kLatencyBuckets> counts{};
  uint64_t total = 0;    // nanoseconds
  uint64_t longest = 0;  // nanoseconds

  void Add(const LatencyHistogram& histogram) {
    for (size_t bucket = 0; bucket < kLatencyBuckets; bucket++) counts[bucket] += histogram.counts_[bucket].Get();
    total += histogram.total_.Get();
    longest = std::max(longest, histogram.longest_.Get());
  }

  uint64_t Count() const { return CountUpTo(UINT64_MAX); }

  // Exact where `nanoseconds` is the bound of a bucket.
  uint64_t CountUpTo(uint64_t nanoseconds) const {
    uint64_t sum = 0;
    for (size_t bucket = 0; bucket < kLatencyBuckets && LatencyBound(bucket) <= nanoseconds; bucket++)
      sum += counts[bucket];
    return sum;
  }

  // The time that at least `per_mille` thousandths of all did not exceed: never less than the true one, and less than
  // an eighth above it, or 256 ns where it is shorter than that. 0 where there are none.
  uint64_t Percentile(unsigned per_mille) const {
    const uint64_t all = Count();
    const uint64_t rank = std::max<uint64_t>(1, all / 1000 * per_mille + (all % 1000 * per_mille + 999) / 1000);
    uint64_t seen = 0;
    for (size_t bucket = 0; bucket < kLatencyBuckets; bucket++) {
      seen += counts[bucket];
      if (seen >= rank) return std::min(LatencyBound(bucket), longest);
    }
    return 0;
  }
};

}  // namespace shoal::fuse
