// The plain bytes of a compressed volume (FORMAT §6.4): finds the frames that hold them and decompresses those.
//
// It is read through a cache of its decompressed frames (see VolumeCache), so that a frame is read and decompressed
// once for all the files in it. Compressed bytes are cached by nobody but the kernel: on local storage its page cache
// keeps them anyway, and on a network what is read of a frame is as much as one round trip gives for the same bytes.
#pragma once

#include <functional>
#include <memory>

#include "block_source.h"
#include "counter.h"
#include "index_view.h"

namespace shoal {

class FramedVolume final : public BlockSource {
 public:
  // Where a frame lies in the file.
  using Locate = std::function<Status(uint64_t frame, FramePlace* out)>;

  FramedVolume(std::shared_ptr<const BlockSource> file, uint64_t plain_length, size_t frame_length, Locate locate,
               std::shared_ptr<ReadCounters> counters)
      : file_(std::move(file)),
        plain_length_(plain_length),
        frame_length_(frame_length),
        locate_(std::move(locate)),
        counters_(std::move(counters)) {}

  const std::string& path() const override { return file_->path(); }
  uint64_t length() const override { return plain_length_; }
  size_t block_length() const override { return frame_length_; }
  StorageKind storage() const override { return file_->storage(); }

  // Whole frames go straight to `to`, others through memory that each thread keeps. A frame that is damaged is read
  // once more from storage; if it still is, kChecksum at its place in the file. `offset` and `size` are within the
  // length.
  Status Read(uint64_t offset, uint8_t* to, size_t size) const override;

  void Forget(uint64_t offset, uint64_t size) const override;

 private:
  Status ReadFrame(uint64_t frame, uint8_t* to, size_t length) const;

  const std::shared_ptr<const BlockSource> file_;
  const uint64_t plain_length_;
  const size_t frame_length_;
  const Locate locate_;
  const std::shared_ptr<ReadCounters> counters_;
};

}  // namespace shoal
