// What blocks are read from: a file of bytes that does not change.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>

#include "status.h"
#include "storage.h"

namespace shoal {

class BlockSource {
 public:
  virtual ~BlockSource() = default;
  BlockSource(const BlockSource&) = delete;
  BlockSource& operator=(const BlockSource&) = delete;

  // Never given to another source of this process.
  uint64_t id() const { return id_; }

  virtual const std::string& path() const = 0;  // for errors
  virtual uint64_t length() const = 0;
  // In which parts it is best read: from a multiple of this on, this many bytes or what is left.
  virtual size_t block_length() const = 0;
  virtual StorageKind storage() const = 0;

  // Exactly `size` bytes at `offset`, or an error. Thread-safe.
  virtual Status Read(uint64_t offset, uint8_t* to, size_t size) const = 0;

  // The next read of these bytes comes from storage.
  virtual void Forget(uint64_t offset, uint64_t size) const = 0;

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
