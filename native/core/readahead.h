// Finds sequential readers of cached sources and reads the blocks ahead of them, in the background; of a compressed
// volume that is also how several processors decompress for one reader.
//
// A stream is known by the ends of blocks: who reads one block to its end and then the next one to its end, reads on.
// Random readers of small files seldom touch the end of a block, so they neither look like streams nor crowd them out,
// whatever their number. The blocks ahead of a stream double with each block that it passes, up to a window of bytes.
#pragma once

#include <array>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>

#include "block_cache.h"

namespace shoal {

class Readahead {
 public:
  // Starts the threads for sources on such storage; they sleep until a stream is found. Where the system gives none,
  // nothing is read ahead.
  Readahead(std::shared_ptr<BlockCache> blocks, StorageKind storage);

  // Waits for the threads, but for two seconds at most where storage hangs: what they use is theirs, too, and stays.
  ~Readahead();
  Readahead(const Readahead&) = delete;
  Readahead& operator=(const Readahead&) = delete;

  // Says that somebody has read the block to its end.
  void NoteEnd(const std::shared_ptr<const BlockSource>& source, uint64_t block);

  // Whether the block is the one that a stream is at, or lies ahead of one.
  bool IsOfStream(const BlockSource& source, uint64_t block) const;

 private:
  struct State;
  static void Run(const std::shared_ptr<State>& state);

  const std::shared_ptr<State> state_;
};

}  // namespace shoal
