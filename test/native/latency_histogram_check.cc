// Holds the histogram of latencies against sorted lists of the same times: `latency_histogram_check SEED`. Prints how
// many times agreed, or what did not, with status 1.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>
#include <vector>

#include "fuse/latency_histogram.h"

using namespace shoal::fuse;

namespace {

void Expect(bool holds, const char* what, uint64_t expected, uint64_t found) {
  if (holds) return;
  std::printf("%s: expected %llu, found %llu\n", what, static_cast<unsigned long long>(expected),
              static_cast<unsigned long long>(found));
  std::exit(1);
}

void CheckBuckets() {
  for (size_t bucket = 0; bucket + 1 < kLatencyBuckets; bucket++) {
    const uint64_t bound = LatencyBound(bucket);
    Expect(LatencyBucket(bound) == bucket, "bucket of a bound", bucket, LatencyBucket(bound));
    Expect(LatencyBucket(bound + 1) == bucket + 1, "bucket beyond a bound", bucket + 1, LatencyBucket(bound + 1));
    if (bucket == 0) continue;
    const uint64_t shortest = LatencyBound(bucket - 1) + 1;
    Expect(bound - shortest < shortest / 8 + 1, "width of a bucket", shortest / 8, bound - shortest);
  }
  Expect(LatencyBound(kLatencyBuckets - 2) == uint64_t{1} << kLongestExponent, "longest bound",
         uint64_t{1} << kLongestExponent, LatencyBound(kLatencyBuckets - 2));
  Expect(LatencyBucket(0) == 0, "bucket of nothing", 0, LatencyBucket(0));
  Expect(LatencyBucket(UINT64_MAX) == kLatencyBuckets - 1, "last bucket", kLatencyBuckets - 1,
         LatencyBucket(UINT64_MAX));
}

// Times between 1 << low and 1 << high, each power of two as likely as another.
std::vector<uint64_t> MakeTimes(std::mt19937_64& random, size_t count, unsigned low, unsigned high) {
  std::vector<uint64_t> times(count);
  for (uint64_t& time : times) {
    const uint64_t floor = uint64_t{1} << (low + random() % (high - low + 1));
    // Bounds and their neighbours, too.
    time = random() % 4 == 0 ? floor - 1 + random() % 3 : floor + random() % floor;
  }
  return times;
}

void CheckTimes(std::vector<uint64_t> times, size_t threads) {
  std::vector<std::unique_ptr<LatencyHistogram>> histograms;
  for (size_t i = 0; i < threads; i++) histograms.push_back(std::make_unique<LatencyHistogram>());
  for (size_t i = 0; i < times.size(); i++) histograms[i % threads]->Add(times[i]);
  Latencies latencies;
  for (const auto& histogram : histograms) latencies.Add(*histogram);

  std::sort(times.begin(), times.end());
  uint64_t total = 0;
  for (uint64_t time : times) total += time;
  Expect(latencies.Count() == times.size(), "count", times.size(), latencies.Count());
  Expect(latencies.total == total, "total", total, latencies.total);
  Expect(latencies.longest == times.back(), "longest", times.back(), latencies.longest);
  for (size_t bucket = 0; bucket < kLatencyBuckets; bucket++) {
    const uint64_t bound = LatencyBound(bucket);
    const auto below = static_cast<uint64_t>(std::upper_bound(times.begin(), times.end(), bound) - times.begin());
    Expect(latencies.CountUpTo(bound) == below, "count up to a bound", below, latencies.CountUpTo(bound));
  }
  for (unsigned per_mille : {1u, 10u, 500u, 900u, 990u, 999u, 1000u}) {
    const size_t rank = std::max<size_t>(1, (times.size() * per_mille + 999) / 1000);
    const uint64_t exact = times[rank - 1];
    const uint64_t found = latencies.Percentile(per_mille);
    Expect(found >= exact, "percentile, at least", exact, found);
    const bool counted = exact <= uint64_t{1} << kLongestExponent;
    const uint64_t most = counted ? exact + std::max<uint64_t>(256, exact / 8) : times.back();
    Expect(found <= most, "percentile, at most", most, found);
  }
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) return 2;
  std::mt19937_64 random(std::strtoull(arguments[1], nullptr, 10));
  CheckBuckets();
  const Latencies none;
  Expect(none.Percentile(500) == 0, "percentile of none", 0, none.Percentile(500));
  size_t checked = 0;
  for (int round = 0; round < 300; round++) {
    const auto low = static_cast<unsigned>(random() % 38);
    const auto high = low + static_cast<unsigned>(random() % (39 - low));
    std::vector<uint64_t> times = MakeTimes(random, 1 + random() % 5000, low, high);
    checked += times.size();
    CheckTimes(std::move(times), 1 + random() % 8);
  }
  std::printf("%zu times agree\n", checked);
  return 0;
}
