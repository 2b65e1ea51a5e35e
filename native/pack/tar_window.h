// Reads headers out of a tar with few system calls and few bytes. Where members are small one large read serves many of
// them, data and all (which on storage with a delay is also much faster than skipping); where they are big each read is
// a page or two at a header.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/seek_table.h"
#include "core/volume_cache.h"
#include "pack/archive_file.h"
#include "pack/archive_stream.h"

namespace shoal::tar {

class TarWindow {
 public:
  // A path that is no regular file is kUnsupported: data is addressed in place, so it must stay in place. A compressed
  // volume (FORMAT §6.4) is read as what it decompresses to.
  Status Open(const std::string& path);

  // Reads a stream instead, which outlives this: no view, and no question, may then lie before an earlier one's start.
  void OpenStream(ArchiveStream* stream) { stream_ = stream; }

  const std::string& path() const { return stream_ == nullptr ? source_->path() : stream_->shown(); }
  // Of a stream: once its end was met; before, more than anything has.
  uint64_t size() const { return stream_ == nullptr ? source_->length() : stream_size_; }
  // Where the frames of a compressed volume lie; of another file it has none.
  const SeekTable& frames() const { return frames_; }

  bool is_stream() const { return stream_ != nullptr; }

  // Whether there are `length` bytes at `offset`.
  Status Has(uint64_t offset, size_t length, bool* out);

  // *out is the `length` bytes at `offset`, until the next call. Beyond the end of the file: kTruncated.
  Status View(uint64_t offset, size_t length, const uint8_t** out);

  // Exactly `size` bytes at `offset`, which lie within the file, and are not those of a stream.
  Status Read(uint64_t offset, uint8_t* to, size_t size) const;

 private:
  Status OpenFrames(std::shared_ptr<const ArchiveFile> file);
  Status FillFromFile(uint64_t offset, size_t length);
  Status FillFromStream(uint64_t offset, size_t length);

  std::shared_ptr<const BlockSource> source_;
  SeekTable frames_;
  std::unique_ptr<VolumeCache> cache_;  // of a compressed volume
  mutable ReadCounters counters_;
  ArchiveStream* stream_ = nullptr;
  uint64_t stream_size_ = UINT64_MAX;

  std::vector<uint8_t> buffer_;
  uint64_t start_ = 0;   // of buffer_ in the file
  size_t filled_ = 0;    // bytes of buffer_ that are valid
  uint64_t last_ = 0;    // offset of the last view
  uint64_t stride_ = 0;  // average distance between views, the recent ones counting most
};

}  // namespace shoal::tar
