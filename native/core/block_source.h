// What blocks are read from: a file of bytes that does not change.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "status.h"

namespace shoal {

class BlockSource {
 public:
  virtual ~BlockSource() = default;
  BlockSource(const BlockSource&) = delete;
  BlockSource& operator=(const BlockSource&) = delete;

  // Never given to another source of this process.
  uint64_t id() const { return id_; }

  virtual uint64_t length() const = 0;

  // Exactly `size` bytes at `offset`, or an error. Thread-safe.
  virtual Status Read(uint64_t offset, uint8_t* to, size_t size) const = 0;

 protected:
  BlockSource() : id_(Next()) {}

 private:
  static uint64_t Next() {
    static std::atomic<uint64_t> next{0};
    return next.fetch_add(1, std::memory_order_relaxed);
  }

  const uint64_t id_;
};

}  // namespace shoal
