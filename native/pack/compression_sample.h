// Whether it pays to compress, by what a sample of the data shrinks to.
#pragma once

#include <cstdint>
#include <memory>

#include "pack/frame_encoder.h"

namespace shoal {

class CompressionSample {
 public:
  // Compresses some of the data, as one frame would be.
  Status Add(const uint8_t* data, size_t size);

  // Whether compressing saves a tenth of what was added; of nothing: false. Each read of a small file from a compressed
  // volume decompresses the frame around it, some tens of microseconds, where a plain volume gives the bytes as they
  // lie. Less than a tenth of the space does not outweigh that, and data that is compressed already (pictures,
  // archives, models in half precision) saves a few hundredths at most; text, tables and most other data save a third
  // and more.
  bool Pays() const { return compressed_ < plain_ - plain_ / 10; }

 private:
  std::unique_ptr<FrameEncoder> encoder_;
  uint64_t plain_ = 0;
  uint64_t compressed_ = 0;
};

}  // namespace shoal
