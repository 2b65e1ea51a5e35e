// Reads of volumes on network storage, where each read is a round trip: through a cache of blocks, with readahead. One
// serves all images of a mount, so that its ceiling holds for all of them.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>

#include "block_cache.h"
#include "counter.h"
#include "readahead.h"

namespace shoal {

class VolumeCache {
 public:
  // Of `bytes` at most; of less than one block: none. Takes no memory and starts no thread yet.
  explicit VolumeCache(uint64_t bytes) : bytes_(bytes) {}

  // For the first volume that is to be read through it; later calls do nothing. *usable: whether there is a cache.
  Status Start(bool* usable);

  // As BlockSource::Read, which it may come to. Needs a usable cache. Does not allocate for blocks that are there.
  Status Read(const std::shared_ptr<const BlockSource>& source, uint64_t offset, uint8_t* to, size_t size,
              ReadCounters& counters) const;

  // The blocks with these bytes are read anew when they are next wanted.
  void Forget(const BlockSource& source, uint64_t offset, uint64_t size) const;

 private:
  Status ReadPart(const std::shared_ptr<const BlockSource>& source, uint64_t block, uint64_t into, uint8_t* to,
                  size_t size, ReadCounters& counters) const;

  const uint64_t bytes_;
  std::mutex start_mutex_;
  std::shared_ptr<BlockCache> blocks_;
  std::unique_ptr<Readahead> readahead_;
};

}  // namespace shoal
