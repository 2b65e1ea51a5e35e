// The mapped bytes of an index: its header and section directory, checked at open, and its blocks, each checked when
// first touched. What is mapped is the file itself, or where that lies on network storage its copy in memory of the
// node.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "fault_guard.h"
#include "format.h"
#include "node_copy.h"
#include "status.h"
#include "storage.h"
#include "storage_file.h"

namespace shoal {

class IndexMap {
 public:
  struct Range {
    uint64_t offset = 0;  // in the file
    uint64_t length = 0;
    uint64_t count = 0;  // rows
  };

  // The checks of FORMAT §3, in their order and with their codes. Touches no block. `storage` is what the file lies on;
  // by default what the type of its filesystem says.
  static Status Open(const std::string& path, std::unique_ptr<IndexMap>* out,
                     std::optional<StorageKind> storage = std::nullopt);
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

  // Bytes that the copy in memory took from storage through this process so far.
  uint64_t copied_bytes() const { return copy_ == nullptr ? 0 : file_->bytes_read(); }

  // Maps the file anew after a fault. kTruncated if it has become shorter. A copy that was cut short stays lost.
  Status Recover() const;

  Status Failure(format::Section kind, uint64_t offset, uint64_t length) const;

  // Holds every block of the file against its checksum, those of no known section too, touched before or not.
  Status CheckBlocks() const;

  // kMalformed at `offset` of a section. `message` says what was expected and what was found.
  Status Malformed(format::Section kind, uint64_t offset, std::string message) const;

 private:
  IndexMap() = default;
  Status ReadHeader(uint64_t size);
  Status ReadSections(const uint8_t* header, uint64_t file_length);
  Status CheckSection(uint32_t kind, int64_t row_offset) const;
  Status CheckCounts() const;
  Status OpenCopy(uint64_t size);
  Status ReadBlockTable();
  Status CheckBlockTable(uint32_t found) const;
  Status Map(uint64_t size);
  Status MalformedAt(int64_t file_offset, std::string message) const;

  static uint64_t BlockOf(uint64_t file_offset) { return (file_offset - format::kHeaderLength) / format::kBlockSize; }
  bool IsVerified(uint64_t block) const {
    return (verified_[block / 64].load(std::memory_order_acquire) >> (block % 64)) & 1;
  }
  bool Verify(uint64_t block) const;
  Status CheckStored(uint64_t block) const;
  Status BlockFailure(uint64_t block) const;
  Status BlockMismatch(uint64_t block, uint32_t found) const;
  uint64_t BlockStart(uint64_t block) const { return format::kHeaderLength + block * format::kBlockSize; }
  uint64_t BlockLength(uint64_t block) const;

  std::string path_;
  uint8_t id_[format::kIdLength] = {};
  Range sections_[format::kLastSection + 1];  // by kind; absent ones are empty
  bool present_[format::kLastSection + 1] = {};
  uint32_t header_checksum_ = 0;
  uint32_t block_table_checksum_ = 0;
  std::vector<uint32_t> block_checksums_;
  std::unique_ptr<std::atomic<uint64_t>[]> verified_;  // one bit for each block that matched its checksum
  std::unique_ptr<StorageFile> file_;
  std::unique_ptr<NodeCopy> copy_;  // null where the file itself is mapped
  const uint8_t* base_ = nullptr;
  size_t length_ = 0;
  std::unique_ptr<FaultGuard> guard_;
};

}  // namespace shoal
