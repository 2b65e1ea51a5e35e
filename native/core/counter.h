// Counts that many threads add to without waiting for each other.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace shoal {

class Counter {
 public:
  void Add(uint64_t value = 1) { shards_[Shard()].value.fetch_add(value, std::memory_order_relaxed); }

  uint64_t Sum() const {
    uint64_t sum = 0;
    for (const Cell& cell : shards_) sum += cell.value.load(std::memory_order_relaxed);
    return sum;
  }

 private:
  struct alignas(64) Cell {
    std::atomic<uint64_t> value{0};
  };
  static constexpr size_t kShards = 16;

  // Threads take turns at shards, so that the threads of one server have one each.
  static size_t Shard() {
    static std::atomic<size_t> threads{0};
    static thread_local const size_t shard = threads.fetch_add(1, std::memory_order_relaxed) % kShards;
    return shard;
  }

  std::array<Cell, kShards> shards_;
};

// What reading an image has cost so far.
struct ReadCounters {
  Counter storage_reads;      // system calls that read a volume
  Counter storage_bytes;      // bytes that they gave, compressed ones as they lie
  Counter cache_hits;         // blocks found in the block cache
  Counter cache_misses;       // blocks that were not there
  Counter retries;            // reads repeated after an error or too few bytes
  Counter checksum_failures;  // chunks that still differed from their checksum when read again, frames still damaged
};

}  // namespace shoal
