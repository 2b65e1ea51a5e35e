#include "core/framed_volume.h"

#include <algorithm>
#include <cstring>

#include "core/zstd_frame.h"

namespace shoal {
namespace {

// Memory that a thread keeps, as long as the longest frame that it has met.
class Scratch {
 public:
  uint8_t* OfSize(size_t size) {
    if (size > size_) {
      bytes_.reset(new uint8_t[size]);
      size_ = size;
    }
    return bytes_.get();
  }

 private:
  std::unique_ptr<uint8_t[]> bytes_;
  size_t size_ = 0;
};

}  // namespace

Status FramedVolume::Read(uint64_t offset, uint8_t* to, size_t size) const {
  static thread_local Scratch scratch;
  while (size > 0) {
    const uint64_t frame = offset / frame_length_;
    const size_t into = offset % frame_length_;
    const auto length = static_cast<size_t>(std::min<uint64_t>(frame_length_, plain_length_ - frame * frame_length_));
    const size_t part = std::min(size, length - into);
    if (part == length) {
      SHOAL_RETURN_IF_ERROR(ReadFrame(frame, to, length));
    } else {
      uint8_t* const whole = scratch.OfSize(length);
      SHOAL_RETURN_IF_ERROR(ReadFrame(frame, whole, length));
      std::memcpy(to, whole + into, part);
    }
    offset += part;
    to += part;
    size -= part;
  }
  return Status();
}

Status FramedVolume::ReadFrame(uint64_t frame, uint8_t* to, size_t length) const {
  static thread_local Scratch scratch;
  FramePlace place;
  SHOAL_RETURN_IF_ERROR(locate_(frame, &place));
  uint8_t* const compressed = scratch.OfSize(place.size);
  SHOAL_RETURN_IF_ERROR(file_->Read(place.offset, compressed, place.size));
  Status status = DecompressFrame(compressed, place.size, to, length);
  if (status.code() != Code::kChecksum) return status;

  file_->Forget(place.offset, place.size);
  SHOAL_RETURN_IF_ERROR(file_->Read(place.offset, compressed, place.size));
  status = DecompressFrame(compressed, place.size, to, length);
  if (status.code() != Code::kChecksum) return status;
  counters_->checksum_failures.Add();
  return std::move(status).At(path(), static_cast<int64_t>(place.offset));
}

void FramedVolume::Forget(uint64_t offset, uint64_t size) const {
  for (uint64_t frame = offset / frame_length_; frame * frame_length_ < offset + size; frame++) {
    FramePlace place;
    if (locate_(frame, &place).ok()) file_->Forget(place.offset, place.size);
  }
}

}  // namespace shoal
