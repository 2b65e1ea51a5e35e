// Image::Read: from content to stored bytes, from stored bytes to chunks that match their checksums, from extents to
// volumes.
#include <algorithm>
#include <cstring>
#include <memory>

#include "core/crc32c.h"
#include "core/image.h"

namespace shoal {
namespace {

constexpr uint64_t kChunk = format::kChunkLength;
constexpr size_t kMaxRun =
    1 << 20;  // whole chunks in one pread: the longest request of the kernel, and still in the cache when checked

// Room for one chunk, kept by each thread that has read a part of one.
uint8_t* Scratch() {
  static thread_local std::unique_ptr<uint8_t[]> bytes(new uint8_t[kChunk]);
  return bytes.get();
}

}  // namespace

Status Image::Read(const Entry& entry, uint64_t offset, void* to, size_t size, size_t* got) const {
  *got = 0;
  if (!entry.IsFile()) return Status(Code::kUsage, "entry " + std::to_string(entry.number) + " is no file");
  if (offset >= entry.size) return Status();
  size = static_cast<size_t>(std::min<uint64_t>(size, entry.size - offset));
  auto* bytes = static_cast<uint8_t*>(to);
  Status status = entry.volume == format::kExtentListVolume ? ReadSparse(entry, offset, bytes, size)
                                                            : ReadPlain(entry, offset, bytes, size);
  if (status.ok()) {
    *got = size;
    return Status();
  }
  std::string path;
  if (!index_->Path(entry.number, &path).ok()) path = "entry " + std::to_string(entry.number);
  return std::move(status).While("reading " + path);
}

bool Image::GivesUnchecked(const Volume& volume) const {
  const VolumeInfo& info = volume.file->info();
  const bool checked = options_.verify && (info.flags & format::kVolumeHasChecksums) != 0;
  return !checked && volume.cache == nullptr && info.codec == format::kCodecNone;
}

bool Image::GivesUnchecked() const {
  return std::any_of(volumes_.begin(), volumes_.end(), [this](const Volume& volume) { return GivesUnchecked(volume); });
}

bool Image::Locate(const Entry& entry, uint64_t offset, size_t size, int* file, uint64_t* place, size_t* length) const {
  if (entry.volume >= volumes_.size() || offset >= entry.size) return false;
  const Volume& volume = volumes_[entry.volume];
  const uint64_t volume_length = volume.file->length();
  const bool inside = entry.offset <= volume_length && entry.size <= volume_length - entry.offset;
  if (!inside || !GivesUnchecked(volume)) return false;
  *file = volume.file->fd();
  *place = entry.offset + offset;
  *length = static_cast<size_t>(std::min<uint64_t>(size, entry.size - offset));
  counters_->storage_reads.Add();
  counters_->storage_bytes.Add(*length);
  return true;
}

Status Image::ReadPlain(const Entry& entry, uint64_t offset, uint8_t* to, size_t size) const {
  if (entry.volume >= volumes_.size() || entry.offset > volume_info(entry.volume).plain_length ||
      entry.size > volume_info(entry.volume).plain_length - entry.offset) {
    std::vector<Extent> none;
    return index_->Extents(entry, &none);  // fails, and says why
  }
  const Extent extent = {0, entry.size, entry.offset, entry.volume};
  return ReadStored(entry, {&extent, 1, entry.size}, offset, to, size);
}

Status Image::ReadSparse(const Entry& entry, uint64_t offset, uint8_t* to, size_t size) const {
  std::vector<Extent> extents;
  SHOAL_RETURN_IF_ERROR(index_->Extents(entry, &extents));
  const uint64_t end = offset + size;
  // What of each extent is wanted is contiguous among the stored bytes.
  uint64_t stored_length = 0;
  uint64_t begin = 0;
  size_t wanted = 0;
  for (const Extent& extent : extents) {
    const uint64_t from = std::max(offset, extent.file_offset);
    const uint64_t until = std::min(end, extent.file_offset + extent.length);
    if (from < until) {
      if (wanted == 0) begin = stored_length + (from - extent.file_offset);
      wanted += until - from;
    }
    stored_length += extent.length;
  }
  if (wanted != 0) {
    SHOAL_RETURN_IF_ERROR(ReadStored(entry, {extents.data(), extents.size(), stored_length}, begin, to, wanted));
  }
  // Spreads them from the last to the first, so that none is overwritten before it is moved.
  size_t filled = size;  // bytes of `to` that do not have their final value yet
  for (size_t i = extents.size(); i-- > 0;) {
    const uint64_t from = std::max(offset, extents[i].file_offset);
    const uint64_t until = std::min(end, extents[i].file_offset + extents[i].length);
    if (from >= until) continue;
    const size_t length = until - from;
    std::memset(to + (until - offset), 0, filled - (until - offset));
    wanted -= length;
    std::memmove(to + (from - offset), to + wanted, length);
    filled = from - offset;
  }
  std::memset(to, 0, filled);
  return Status();
}

// `size` stored bytes from `begin` on, each held against the checksum of its chunk where that is wanted and possible.
Status Image::ReadStored(const Entry& entry, const Stored& stored, uint64_t begin, uint8_t* to, size_t size) const {
  bool checked;
  SHOAL_RETURN_IF_ERROR(IsChecked(stored, &checked));
  if (!checked) return ReadUnchecked(stored, begin, to, size);

  const uint64_t end = begin + size;
  for (uint64_t at = begin; at < end;) {
    uint8_t* const out = to + (at - begin);
    const uint64_t chunk = at - at % kChunk;
    const uint64_t chunk_end = std::min(chunk + kChunk, stored.length);
    if (at != chunk || chunk_end > end) {
      uint8_t* const scratch = Scratch();
      SHOAL_RETURN_IF_ERROR(ReadUnchecked(stored, chunk, scratch, chunk_end - chunk));
      SHOAL_RETURN_IF_ERROR(CheckChunk(entry, stored, chunk, scratch, chunk_end - chunk));
      const uint64_t until = std::min(end, chunk_end);
      std::memcpy(out, scratch + (at - chunk), until - at);
      at = until;
      continue;
    }
    const uint64_t whole_end = end == stored.length ? end : end - end % kChunk;
    const uint64_t run_end = std::min(whole_end, at + kMaxRun);
    SHOAL_RETURN_IF_ERROR(ReadUnchecked(stored, at, out, run_end - at));
    for (; at < run_end; at += kChunk) {
      SHOAL_RETURN_IF_ERROR(CheckChunk(entry, stored, at, to + (at - begin), std::min(kChunk, run_end - at)));
    }
    at = run_end;
  }
  return Status();
}

// Holds one whole chunk, which is in `data`, against its checksum; on a mismatch once more after reading it from
// storage.
Status Image::CheckChunk(const Entry& entry, const Stored& stored, uint64_t begin, uint8_t* data, size_t size) const {
  uint32_t expected = entry.checksum;
  if (stored.length > kChunk) {
    SHOAL_RETURN_IF_ERROR(index_->ChunkChecksum(uint64_t{entry.checksum} + begin / kChunk, &expected));
  }
  if (Crc32c(data, size) == expected) return Status();
  ForgetCached(stored, begin, size);
  SHOAL_RETURN_IF_ERROR(ReadUnchecked(stored, begin, data, size, From::kStorage));
  const uint32_t found = Crc32c(data, size);
  if (found == expected) return Status();

  counters_->checksum_failures.Add();
  const Extent* extent = stored.extents;
  uint64_t into = begin;
  for (; into >= extent->length; extent++) into -= extent->length;
  return Status(Code::kChecksum, "CRC32C of " + std::to_string(size) + " bytes: expected " + std::to_string(expected) +
                                     ", found " + std::to_string(found) + "; the volume is damaged: copy it anew")
      .At(volume_path(extent->volume), static_cast<int64_t>(extent->offset + into));
}

Status Image::ReadUnchecked(const Stored& stored, uint64_t begin, uint8_t* to, size_t size, From from) const {
  uint64_t extent_begin = 0;
  for (size_t i = 0; i < stored.count && size != 0; i++) {
    const Extent& extent = stored.extents[i];
    const uint64_t extent_end = extent_begin + extent.length;
    if (begin < extent_end) {
      const size_t length = static_cast<size_t>(std::min<uint64_t>(size, extent_end - begin));
      SHOAL_RETURN_IF_ERROR(ReadVolume(extent.volume, extent.offset + (begin - extent_begin), to, length, from));
      begin += length;
      to += length;
      size -= length;
    }
    extent_begin = extent_end;
  }
  return Status();
}

Status Image::ReadVolume(size_t row, uint64_t offset, uint8_t* to, size_t size, From from) const {
  const Volume& volume = volumes_[row];
  if (volume.plain == nullptr) {
    const uint32_t codec = volume.file->info().codec;
    return Status(Code::kUnsupported, "expected a volume stored as is or as zstd frames, found codec " +
                                          std::to_string(codec) + "; use a newer shoal")
        .At(volume.file->path());
  }
  if (volume.cache == nullptr || from == From::kStorage) return volume.plain->Read(offset, to, size);
  return volume.cache->Read(volume.plain, offset, to, size, *counters_);
}

Status Image::IsChecked(const Stored& stored, bool* out) const {
  const uint32_t flags = volume_info(stored.extents[0].volume).flags;
  for (size_t i = 1; i < stored.count; i++) {
    const uint32_t other = volume_info(stored.extents[i].volume).flags;
    if (((flags ^ other) & format::kVolumeHasChecksums) == 0) continue;
    return Status(Code::kMalformed, "expected extents in volumes that all have checksums or all have none, found both")
        .At(index_->path());
  }
  *out = options_.verify && (flags & format::kVolumeHasChecksums) != 0;
  return Status();
}

// So that the next read of these bytes comes from storage.
void Image::ForgetCached(const Stored& stored, uint64_t begin, size_t size) const {
  const uint64_t end = begin + size;
  uint64_t extent_begin = 0;
  for (size_t i = 0; i < stored.count; i++) {
    const Extent& extent = stored.extents[i];
    const uint64_t from = std::max(begin, extent_begin);
    const uint64_t until = std::min(end, extent_begin + extent.length);
    if (from < until) {
      const Volume& volume = volumes_[extent.volume];
      const uint64_t offset = extent.offset + (from - extent_begin);
      if (volume.cache != nullptr) volume.cache->Forget(*volume.plain, offset, until - from);
      volume.plain->Forget(offset, until - from);
    }
    extent_begin += extent.length;
  }
}

}  // namespace shoal
