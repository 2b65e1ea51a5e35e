#include "core/volume_cache.h"

#include <algorithm>
#include <cstring>

namespace shoal {
namespace {

// A read that comes so near to a block's end has read it to its end: what follows are the padding of the last file and
// the headers of the next one. Of short blocks that must not be much.
constexpr uint64_t kEndMargin = 8 << 10;
constexpr uint64_t kEndPart = 16;

}  // namespace

Status VolumeCache::Start(const BlockSource& source, bool* usable) {
  std::lock_guard<std::mutex> lock(start_mutex_);
  if (LaneOf(source) == nullptr) {
    lanes_.emplace_back();
    lanes_.back().block_length = source.block_length();
    lanes_.back().storage = source.storage();
    SHOAL_RETURN_IF_ERROR(Share());
  }
  *usable = LaneOf(source)->blocks != nullptr;
  return Status();
}

// Nothing was read yet, so what is there already can be made anew.
Status VolumeCache::Share() {
  const uint64_t bytes = bytes_ / lanes_.size();
  for (Lane& lane : lanes_) {
    lane.readahead.reset();
    lane.blocks.reset();
    if (bytes < lane.block_length) continue;
    std::unique_ptr<BlockCache> blocks;
    SHOAL_RETURN_IF_ERROR(BlockCache::Create(bytes, lane.block_length, &blocks));
    lane.blocks = std::move(blocks);
    lane.readahead = std::make_unique<Readahead>(lane.blocks, lane.storage);
  }
  return Status();
}

const VolumeCache::Lane* VolumeCache::LaneOf(const BlockSource& source) const {
  for (const Lane& lane : lanes_) {
    if (lane.block_length == source.block_length() && lane.storage == source.storage()) return &lane;
  }
  return nullptr;
}

Status VolumeCache::Read(const std::shared_ptr<const BlockSource>& source, uint64_t offset, uint8_t* to, size_t size,
                         ReadCounters& counters) const {
  const Lane* lane = LaneOf(*source);
  const bool inside = offset <= source->length() && size <= source->length() - offset;
  if (lane == nullptr || lane->blocks == nullptr || !inside) return source->Read(offset, to, size);
  while (size > 0) {
    const uint64_t into = offset % lane->block_length;
    const size_t part = static_cast<size_t>(std::min<uint64_t>(size, lane->block_length - into));
    SHOAL_RETURN_IF_ERROR(ReadPart(*lane, source, offset / lane->block_length, into, to, part, counters));
    offset += part;
    to += part;
    size -= part;
  }
  return Status();
}

Status VolumeCache::ReadPart(const Lane& lane, const std::shared_ptr<const BlockSource>& source, uint64_t block,
                             uint64_t into, uint8_t* to, size_t size, ReadCounters& counters) {
  const uint64_t begin = block * lane.block_length;
  const uint64_t end = std::min(begin + lane.block_length, source->length());
  const uint64_t margin = std::min(kEndMargin, lane.block_length / kEndPart);
  const bool to_the_end = begin + into + size + margin >= end;
  // Before this read itself, so that the next block is under way meanwhile.
  if (to_the_end) lane.readahead->NoteEnd(source, block);

  BlockCache::Pin pin;
  SHOAL_RETURN_IF_ERROR(lane.blocks->Find(*source, block, &pin));
  if (pin.valid()) {
    counters.cache_hits.Add();
  } else {
    counters.cache_misses.Add();
    const bool streaming = lane.readahead->IsOfStream(*source, block);
    const auto reader = streaming ? BlockCache::Reader::kStream : BlockCache::Reader::kRandom;
    SHOAL_RETURN_IF_ERROR(lane.blocks->Load(*source, block, reader, &pin));
  }
  if (!pin.valid()) return source->Read(begin + into, to, size);
  std::memcpy(to, pin.data() + into, size);
  if (to_the_end) lane.blocks->Pass(pin);
  return Status();
}

void VolumeCache::Forget(const BlockSource& source, uint64_t offset, uint64_t size) const {
  const Lane* lane = LaneOf(source);
  if (lane == nullptr || lane->blocks == nullptr) return;
  for (uint64_t block = offset / lane->block_length; block * lane->block_length < offset + size; block++) {
    lane->blocks->Forget(source, block);
  }
}

}  // namespace shoal
