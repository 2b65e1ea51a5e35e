#include "addon/statistics_value.h"

#include <string>
#include <vector>

namespace shoal::addon {
namespace {

// Thousandths, by the names that they have in JavaScript.
struct Percentile {
  const char* name;
  unsigned per_mille;
};
constexpr Percentile kPercentiles[] = {{"p50", 500}, {"p90", 900}, {"p99", 990}, {"p999", 999}};

// Bounds of the counts that are given: from 1 µs to 17 s, each four times the one before. They are bounds of buckets,
// so the counts are exact.
constexpr unsigned kShortestBound = 10;
constexpr unsigned kLongestBound = 34;

std::vector<uint64_t> Bounds() {
  std::vector<uint64_t> bounds;
  for (unsigned exponent = kShortestBound; exponent <= kLongestBound; exponent += 2) {
    bounds.push_back(uint64_t{1} << exponent);
  }
  return bounds;
}

Napi::Number ToNumber(Napi::Env env, uint64_t value) { return Napi::Number::New(env, static_cast<double>(value)); }

Napi::Object ToObject(Napi::Env env, const fuse::Statistics::Requests& requests) {
  const fuse::Latencies& latencies = requests.latencies;
  Napi::Object object = Napi::Object::New(env);
  object.Set("count", ToNumber(env, latencies.Count()));
  object.Set("errors", ToNumber(env, requests.errors));
  object.Set("total", ToNumber(env, latencies.total));
  for (const Percentile& percentile : kPercentiles) {
    object.Set(percentile.name, ToNumber(env, latencies.Percentile(percentile.per_mille)));
  }
  object.Set("longest", ToNumber(env, latencies.longest));
  const std::vector<uint64_t> bounds = Bounds();
  Napi::Array counts = Napi::Array::New(env, bounds.size());
  for (uint32_t i = 0; i < bounds.size(); i++) counts.Set(i, ToNumber(env, latencies.CountUpTo(bounds[i])));
  object.Set("upTo", counts);
  return object;
}

}  // namespace

Napi::Value ToValue(Napi::Env env, const fuse::Statistics& statistics) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("uptime", ToNumber(env, statistics.uptime_nanoseconds));
  object.Set("threads", ToNumber(env, statistics.threads));

  Napi::Object protocol = Napi::Object::New(env);
  protocol.Set("minor", ToNumber(env, statistics.minor));
  const std::vector<std::string> names = fuse::FeatureNames(statistics.flags);
  Napi::Array features = Napi::Array::New(env, names.size());
  for (uint32_t i = 0; i < names.size(); i++) features.Set(i, names[i]);
  protocol.Set("features", features);
  protocol.Set("maxRead", ToNumber(env, statistics.max_read));
  object.Set("protocol", protocol);

  const std::vector<uint64_t> list = Bounds();
  Napi::Array bounds = Napi::Array::New(env, list.size());
  for (uint32_t i = 0; i < list.size(); i++) bounds.Set(i, ToNumber(env, list[i]));
  object.Set("bounds", bounds);
  Napi::Object requests = Napi::Object::New(env);
  for (size_t kind = 0; kind < fuse::kRequestKinds; kind++) {
    requests.Set(fuse::KindName(static_cast<fuse::RequestKind>(kind)), ToObject(env, statistics.requests[kind]));
  }
  object.Set("requests", requests);
  object.Set("servedBytes", ToNumber(env, statistics.served_bytes));

  object.Set("storageReads", ToNumber(env, statistics.storage_reads));
  object.Set("storageBytes", ToNumber(env, statistics.storage_bytes));
  object.Set("cacheHits", ToNumber(env, statistics.cache_hits));
  object.Set("cacheMisses", ToNumber(env, statistics.cache_misses));
  object.Set("retries", ToNumber(env, statistics.retries));
  object.Set("checksumFailures", ToNumber(env, statistics.checksum_failures));
  object.Set("indexFaults", ToNumber(env, statistics.index_faults));
  return object;
}

}  // namespace shoal::addon
