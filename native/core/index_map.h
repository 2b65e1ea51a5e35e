// The mapped file of an index: its header and section directory, checked at open, and its bytes, block by block checked
// when first touched.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "fault_guard.h"
#include "file.h"
#include "format.h"
#include "status.h"

namespace shoal {

class IndexMap {
 public:
  struct Range {
    uint64_t offset = 0;  // in the file
    uint64_t length = 0;
    uint64_t count = 0;  // rows
  };

  // The checks of FORMAT §3, in their order and with their codes. Touches no block.
  static Status Open(const std::string& path, std::unique_ptr<IndexMap>* out);
  ~IndexMap();
  IndexMap(const IndexMap&) = delete;
  IndexMap& operator=(const IndexMap&) = delete;

  const std::string& path() const { return path_; }
  const uint8_t* id() const { return id_; }
  const Range& section(format::Section kind) const { return sections_[static_cast<uint32_t>(kind)]; }

  // The only way to bytes of the map: `length` bytes at `offset` of a section, within it and from blocks that match
  // their checksums. Null if they are not: Failure with the same arguments says why.
  const uint8_t* At(format::Section kind, uint64_t offset, uint64_t length) const {
    const Range& range = section(kind);
    if (offset > range.length || length > range.length - offset || length > format::kMaxAnswer) return nullptr;
    const uint64_t start = range.offset + offset;
    if (length != 0) {
      const uint64_t last = BlockOf(start + length - 1);
      for (uint64_t block = BlockOf(start); block <= last; block++) {
        if (!IsVerified(block) && !Verify(block)) return nullptr;
      }
    }
    return base_ + start;
  }

  // Counts the loads that storage did not answer: what was read from At while one came is not to be used.
  FaultGuard& guard() const { return *guard_; }

  // Maps the file anew after a fault. kTruncated if it has become shorter.
  Status Recover() const;

  Status Failure(format::Section kind, uint64_t offset, uint64_t length) const;

  // Touches every block, those of no known section too.
  Status CheckBlocks() const;

  // kMalformed at `offset` of a section. `message` says what was expected and what was found.
  Status Malformed(format::Section kind, uint64_t offset, std::string message) const;

 private:
  IndexMap() = default;
  Status ReadHeader(int fd, uint64_t size);
  Status ReadSections(const uint8_t* header, uint64_t file_length);
  Status CheckSection(uint32_t kind, int64_t row_offset) const;
  Status CheckCounts() const;
  Status ReadBlockTable(int fd);
  Status Map(uint64_t size);
  Status MalformedAt(int64_t file_offset, std::string message) const;

  static uint64_t BlockOf(uint64_t file_offset) { return (file_offset - format::kHeaderLength) / format::kBlockSize; }
  bool IsVerified(uint64_t block) const {
    return (verified_[block / 64].load(std::memory_order_acquire) >> (block % 64)) & 1;
  }
  bool Verify(uint64_t block) const;
  Status BlockFailure(uint64_t block) const;
  uint64_t BlockStart(uint64_t block) const { return format::kHeaderLength + block * format::kBlockSize; }
  uint64_t BlockLength(uint64_t block) const;

  std::string path_;
  uint8_t id_[format::kIdLength] = {};
  Range sections_[format::kLastSection + 1];  // by kind; absent ones are empty
  bool present_[format::kLastSection + 1] = {};
  uint32_t block_table_checksum_ = 0;
  std::vector<uint32_t> block_checksums_;
  std::unique_ptr<std::atomic<uint64_t>[]> verified_;  // one bit for each block that matched its checksum
  UniqueFd fd_;
  const uint8_t* base_ = nullptr;
  size_t length_ = 0;
  std::unique_ptr<FaultGuard> guard_;
};

}  // namespace shoal
