// Aligned blocks of sources in memory that has a hard ceiling.
//
// A block is pinned while it is read from its source and while it is copied from, and what is pinned keeps its memory.
// No lock is held meanwhile, and nobody waits for memory: where every block of a shard is pinned, a reader is told so
// and reads what it wants by itself. A reader waits only for a block that another thread is reading, and that thread
// waits for storage alone; so nothing can wait in a circle, however small the cache is.
//
// What goes first, when memory is wanted:
//   1. blocks of streams that were read to their end: their reader does not come back;
//   2. blocks that random readers asked for, the oldest first, but each that was asked for again since it was last
//      looked at stays for another round;
//   3. blocks of streams that are still to be read, which take a quarter of the cache at most.
// So a reader of a whole volume recycles its own blocks and leaves those of random readers alone.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "block_source.h"
#include "status.h"

namespace shoal {

class BlockCache {
  struct Frame;

 public:
  // Whom a block is read for.
  enum class Reader : uint8_t {
    kRandom,
    kStream,
    kReadahead,  // for a stream, too, but takes nothing that another one has ahead of it
  };

  // Keeps a block where it is. Must not outlive the cache.
  class Pin {
   public:
    Pin() = default;
    Pin(Pin&& other) noexcept : frame_(other.frame_) { other.frame_ = nullptr; }
    Pin& operator=(Pin&& other) noexcept;
    Pin(const Pin&) = delete;
    Pin& operator=(const Pin&) = delete;
    ~Pin();

    bool valid() const { return frame_ != nullptr; }
    const uint8_t* data() const;

   private:
    friend class BlockCache;
    explicit Pin(Frame* frame) : frame_(frame) {}

    Frame* frame_ = nullptr;
  };

  // Of all whole blocks in `bytes`, at least one; memory is taken when a block is first used. All sources that are read
  // through it have this length of block.
  static Status Create(uint64_t bytes, size_t block_length, std::unique_ptr<BlockCache>* out);
  ~BlockCache();
  BlockCache(const BlockCache&) = delete;
  BlockCache& operator=(const BlockCache&) = delete;

  size_t capacity() const { return capacity_; }  // blocks
  size_t block_length() const { return block_length_; }

  // Pins a block that is there. One that another thread is reading is waited for, and if that fails this does, too. No
  // valid pin: it is not there. Does not allocate.
  Status Find(const BlockSource& source, uint64_t block, Pin* out);

  // The same, but reads a block that is not there. No valid pin: all memory that this reader may have is in use. A
  // failure is not kept.
  Status Load(const BlockSource& source, uint64_t block, Reader reader, Pin* out);

  // Says that a stream has read the block to its end. Of other blocks that means nothing.
  void Pass(const Pin& pin);

  // The block is read anew when it is next wanted; who has it pinned keeps what is there.
  void Forget(const BlockSource& source, uint64_t block);

 private:
  struct Key {
    uint64_t source;
    uint64_t block;
    bool operator==(const Key& other) const { return source == other.source && block == other.block; }
  };
  struct KeyHash {
    size_t operator()(const Key& key) const { return static_cast<size_t>((key.source << 48) ^ key.block); }
  };
  using Frames = std::list<Frame>;
  struct Shard;

  BlockCache(uint8_t* memory, size_t capacity, size_t block_length);
  Shard& ShardOf(const Key& key);

  uint8_t* const memory_;
  const size_t capacity_;
  const size_t block_length_;
  std::vector<std::unique_ptr<Shard>> shards_;
};

}  // namespace shoal
