// Reads of volumes that are not read as they lie: those on network storage, where each read is a round trip, and
// compressed ones. They go through a cache of blocks, with readahead. One serves all images of a mount, so that its
// ceiling holds for all of them.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "block_cache.h"
#include "counter.h"
#include "readahead.h"

namespace shoal {

class VolumeCache {
 public:
  // Of `bytes` at most. Takes no memory and starts no thread yet.
  explicit VolumeCache(uint64_t bytes) : bytes_(bytes) {}

  // For each source that is to be read through it, and before the first read: sources with blocks of another length, or
  // on another kind of storage, have memory of their own, and all of these the same share. *usable: whether there is
  // room for a block.
  Status Start(const BlockSource& source, bool* usable);

  // As BlockSource::Read, which it comes to where there is no room. Does not allocate for blocks that are there.
  Status Read(const std::shared_ptr<const BlockSource>& source, uint64_t offset, uint8_t* to, size_t size,
              ReadCounters& counters) const;

  // The blocks with these bytes are read anew when they are next wanted.
  void Forget(const BlockSource& source, uint64_t offset, uint64_t size) const;

 private:
  // What sources that are alike share.
  struct Lane {
    uint64_t block_length = 0;
    StorageKind storage = StorageKind::kLocal;
    std::shared_ptr<BlockCache> blocks;  // nullptr: there is no room for one
    std::unique_ptr<Readahead> readahead;
  };

  const Lane* LaneOf(const BlockSource& source) const;
  Status Share();
  static Status ReadPart(const Lane& lane, const std::shared_ptr<const BlockSource>& source, uint64_t block,
                         uint64_t into, uint8_t* to, size_t size, ReadCounters& counters);

  const uint64_t bytes_;
  std::mutex start_mutex_;
  std::vector<Lane> lanes_;  // one or two
};

}  // namespace shoal
