// An index of network storage in memory of this node: one copy, which all processes of one user that have the index
// open fill and read together. It can be read at once; what is touched is brought at its first touch, and a thread
// brings the rest. Every byte is read from storage once for all of them.
//
// Only bytes that match their checksums are written into the copy, so whoever writes a place writes the same bytes.
// Nobody trusts in that: each process checks each block when it first touches it.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "file.h"
#include "node_file.h"
#include "status.h"
#include "storage_file.h"

namespace shoal {

class NodeCopy {
 public:
  // Opens or makes the copy called `name` of an index of `length` bytes, whose blocks end at `blocks_end`, where its
  // block table begins.
  static Status Open(const StorageFile* storage, const std::string& name, uint64_t blocks_end, uint64_t length,
                     std::unique_ptr<NodeCopy>* out);
  ~NodeCopy();
  NodeCopy(const NodeCopy&) = delete;
  NodeCopy& operator=(const NodeCopy&) = delete;

  // Fills `table`, of which `checksum` is the CRC32C, from the copy or else from storage. *found is the CRC32C of what
  // it got.
  Status ReadTable(std::vector<uint32_t>* table, uint32_t checksum, uint32_t* found) const;

  // From now on Load may be called, and where the copy is shared a thread brings all blocks. `checksums` is that table
  // and outlives this.
  void Start(const std::vector<uint32_t>* checksums);

  // Where byte 0 of the index would be; to be read are only blocks that Load brought.
  const uint8_t* base() const { return map_ + kHeadRoom; }
  const uint8_t* map() const { return map_; }
  size_t map_length() const { return map_length_; }

  // *found is the CRC32C of the block. If it is that of the block table, the block can be read from now on.
  Status Load(uint64_t block, uint32_t* found) const;

 private:
  class Turn;

  // Blocks begin in the copy, and in the map of it, at multiples of their size: each can be mapped by itself, whatever
  // the page size.
  static constexpr uint64_t kHeadRoom = 65536 - 4096;

  NodeCopy() = default;
  uint64_t PlaceOf(uint64_t offset) const { return map_begin_ + kHeadRoom + offset; }
  uint64_t BatchCount() const;
  bool IsPresent(uint64_t slot) const;
  bool MarkPresent(uint64_t slot) const;
  bool Claim(uint64_t slot) const;
  void Release(uint64_t slot) const;
  bool Get(uint64_t offset, void* to, size_t size) const;
  bool Put(uint64_t offset, const void* from, size_t size) const;
  void Bring(uint64_t batch) const;
  Status Fetch(uint64_t batch) const;
  Status KeepPrivately(uint64_t offset, const uint8_t* bytes, size_t size) const;
  void BringAll();
  bool BringMissing() const;

  const StorageFile* storage_ = nullptr;
  NodeFile file_;
  uint64_t blocks_end_ = 0;
  uint64_t map_begin_ = 0;  // in the file; before it stands one byte per slot: whether it is present
  uint64_t map_length_ = 0;
  const uint8_t* map_ = nullptr;
  const std::vector<uint32_t>* checksums_ = nullptr;

  // Slots, that is batches of blocks and the block table, that a thread of this process is bringing.
  std::unique_ptr<std::atomic<bool>[]> claimed_;
  mutable std::atomic<bool> full_{false};  // the file could not take something: there is no more memory

  mutable std::mutex private_mutex_;
  mutable UniqueFd private_;  // blocks that the file could not take, at the same places; mapped over its map

  std::mutex stop_mutex_;
  std::condition_variable stop_signal_;
  std::atomic<bool> stopping_{false};
  std::thread bringing_;
};

}  // namespace shoal
