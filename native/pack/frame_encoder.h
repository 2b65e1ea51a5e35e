// Encodes the plain bytes of a volume as the frames of a compressed one, and the seek table behind them (FORMAT §6.4).
// One encoder serves one thread. What it gives depends on bytes, level and length alone.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/bytes.h"
#include "core/status.h"

struct ZSTD_CCtx_s;

namespace shoal {

class FrameEncoder {
 public:
  static constexpr int kDefaultLevel = 3;
  static constexpr int kMaxLevel = 22;

  // Plain bytes begin here in a frame of Store() and of EncodeFirst(), which can be changed in place.
  static constexpr size_t kStoredOffset = 12;

  // Level 1 to kMaxLevel.
  static Status Create(int level, std::unique_ptr<FrameEncoder>* out);
  ~FrameEncoder();

  // One frame of `size` bytes, at most kMaxFrameLength; stored where compressing saves less than a hundredth. What *out
  // views is valid until the next call.
  Status Encode(const uint8_t* plain, size_t size, Bytes* out);

  // Likewise, but the first `head` bytes are stored in a raw block of their own: a volume's first frame.
  Status EncodeFirst(const uint8_t* plain, size_t size, size_t head, Bytes* out);

  // One frame of raw blocks, for what is known not to shrink. Likewise.
  Bytes Store(const uint8_t* plain, size_t size);

 private:
  struct FreeContext {
    void operator()(ZSTD_CCtx_s* context) const;
  };

  explicit FrameEncoder(ZSTD_CCtx_s* context) : context_(context) {}

  Status Compress(const uint8_t* plain, size_t size, std::vector<uint8_t>* out);

  const std::unique_ptr<ZSTD_CCtx_s, FreeContext> context_;
  std::vector<uint8_t> frame_;
  std::vector<uint8_t> rest_;  // of a first frame, as a frame of its own
};

// The seek table of frames that begin at `offsets`, the last of which is where the last frame ends (see SeekTable).
// kUnsupported: more frames than one can list.
Status EncodeSeekTable(const std::vector<uint64_t>& offsets, uint64_t plain_length, uint64_t frame_length,
                       std::string* out);

}  // namespace shoal
