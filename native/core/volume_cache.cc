#include "core/volume_cache.h"

#include <algorithm>
#include <cstring>

namespace shoal {
namespace {

constexpr uint64_t kBlock = BlockCache::kBlock;

// A read that comes so near to a block's end has read it to its end: what follows are the padding of the last file and
// the headers of the next one.
constexpr uint64_t kEndMargin = 8 << 10;

}  // namespace

Status VolumeCache::Start(bool* usable) {
  std::lock_guard<std::mutex> lock(start_mutex_);
  *usable = bytes_ >= kBlock;
  if (!*usable || blocks_ != nullptr) return Status();
  std::unique_ptr<BlockCache> blocks;
  SHOAL_RETURN_IF_ERROR(BlockCache::Create(bytes_, &blocks));
  blocks_ = std::move(blocks);
  readahead_ = std::make_unique<Readahead>(blocks_);
  return Status();
}

Status VolumeCache::Read(const std::shared_ptr<const BlockSource>& source, uint64_t offset, uint8_t* to, size_t size,
                         ReadCounters& counters) const {
  if (offset > source->length() || size > source->length() - offset) return source->Read(offset, to, size);
  while (size > 0) {
    const uint64_t into = offset % kBlock;
    const size_t part = static_cast<size_t>(std::min<uint64_t>(size, kBlock - into));
    SHOAL_RETURN_IF_ERROR(ReadPart(source, offset / kBlock, into, to, part, counters));
    offset += part;
    to += part;
    size -= part;
  }
  return Status();
}

Status VolumeCache::ReadPart(const std::shared_ptr<const BlockSource>& source, uint64_t block, uint64_t into,
                             uint8_t* to, size_t size, ReadCounters& counters) const {
  const uint64_t begin = block * kBlock;
  const uint64_t end = std::min(begin + kBlock, source->length());
  const bool to_the_end = begin + into + size + kEndMargin >= end;
  // Before this read itself, so that the next block is under way meanwhile.
  if (to_the_end) readahead_->NoteEnd(source, block);

  BlockCache::Pin pin;
  SHOAL_RETURN_IF_ERROR(blocks_->Find(*source, block, &pin));
  if (pin.valid()) {
    counters.cache_hits.Add();
  } else {
    counters.cache_misses.Add();
    const bool streaming = readahead_->IsOfStream(*source, block);
    const auto reader = streaming ? BlockCache::Reader::kStream : BlockCache::Reader::kRandom;
    SHOAL_RETURN_IF_ERROR(blocks_->Load(*source, block, reader, &pin));
  }
  if (!pin.valid()) return source->Read(begin + into, to, size);
  std::memcpy(to, pin.data() + into, size);
  if (to_the_end) blocks_->Pass(pin);
  return Status();
}

void VolumeCache::Forget(const BlockSource& source, uint64_t offset, uint64_t size) const {
  for (uint64_t block = offset / kBlock; block * kBlock < offset + size; block++) blocks_->Forget(source, block);
}

}  // namespace shoal
