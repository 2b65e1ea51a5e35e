#include "pack/compression_sample.h"

namespace shoal {
namespace {

// What does not shrink by a tenth at the fastest level does not at any other.
constexpr int kSampleLevel = 1;

}  // namespace

Status CompressionSample::Add(const uint8_t* data, size_t size) {
  if (encoder_ == nullptr) SHOAL_RETURN_IF_ERROR(FrameEncoder::Create(kSampleLevel, &encoder_));
  Bytes frame;
  SHOAL_RETURN_IF_ERROR(encoder_->Encode(data, size, &frame));
  plain_ += size;
  compressed_ += frame.size;
  return Status();
}

}  // namespace shoal
