#include "pack/frame_encoder.h"

#include <zstd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "core/format.h"

namespace shoal {
namespace {

// RFC 8878: magic number, a descriptor (one segment, content size in four bytes), the size; before each block three
// bytes with its length, its type (0: raw) and whether it is the last.
constexpr uint32_t kMagic = 0xFD2FB528;
constexpr uint8_t kDescriptor = 0xA0;
constexpr size_t kHeaderLength = 9;
constexpr size_t kBlockHeaderLength = 3;
constexpr size_t kMaxBlock = 128 << 10;
static_assert(kHeaderLength + kBlockHeaderLength == FrameEncoder::kStoredOffset, "one block header before the bytes");

// To decompress costs a reader more than to copy, so a frame must save something: 1 KiB of 128. Not more, because a
// tree of pictures saves little in each frame, and in all of them together as much as other packers do.
constexpr size_t kWorthwhile = 128;

bool IsWorthwhile(size_t compressed, size_t size) { return compressed < size - size / kWorthwhile; }

// Length of what stands before the first block of a frame that zstd has made.
size_t HeaderLength(const uint8_t* frame) {
  constexpr size_t kMagicAndDescriptor = 5;
  const uint8_t descriptor = frame[kMagicAndDescriptor - 1];
  const bool has_one_segment = (descriptor & 0x20) != 0;
  const unsigned size_flag = descriptor >> 6;
  const size_t size_length = size_flag == 0 ? (has_one_segment ? 1 : 0) : size_t{1} << size_flag;
  return kMagicAndDescriptor + (has_one_segment ? 0 : 1) + size_length;
}

// Header of a frame of `size` bytes in one segment.
void PutHeader(uint8_t* to, size_t size) {
  Store<uint32_t>(to, kMagic);
  to[4] = kDescriptor;
  Store<uint32_t>(to + 5, static_cast<uint32_t>(size));
}

void PutRawBlock(uint8_t* to, const uint8_t* plain, size_t size, bool last) {
  const auto header = static_cast<uint32_t>(size << 3 | (last ? 1 : 0));
  std::memcpy(to, &header, kBlockHeaderLength);
  if (size != 0) std::memcpy(to + kBlockHeaderLength, plain, size);
}

size_t StoredLength(size_t size) {
  const size_t blocks = std::max<size_t>((size + kMaxBlock - 1) / kMaxBlock, 1);
  return kHeaderLength + blocks * kBlockHeaderLength + size;
}

void Append(std::string* out, uint32_t value) { out->append(reinterpret_cast<const char*>(&value), sizeof value); }

}  // namespace

void FrameEncoder::FreeContext::operator()(ZSTD_CCtx_s* context) const { ZSTD_freeCCtx(context); }

FrameEncoder::~FrameEncoder() = default;

Status FrameEncoder::Create(int level, std::unique_ptr<FrameEncoder>* out) {
  std::unique_ptr<FrameEncoder> encoder(new FrameEncoder(ZSTD_createCCtx()));
  ZSTD_CCtx* const context = encoder->context_.get();
  if (context == nullptr) return Status::FromErrno("cannot get memory to compress with", "", ENOMEM);
  ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, std::clamp(level, 1, kMaxLevel));
  ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, 1);
  ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 0);
  ZSTD_CCtx_setParameter(context, ZSTD_c_dictIDFlag, 0);
  *out = std::move(encoder);
  return Status();
}

Status FrameEncoder::Encode(const uint8_t* plain, size_t size, Bytes* out) {
  SHOAL_RETURN_IF_ERROR(Compress(plain, size, &frame_));
  *out = IsWorthwhile(frame_.size(), size) ? Bytes{frame_.data(), frame_.size()} : Store(plain, size);
  return Status();
}

// Blocks of a frame know nothing of those before them but what they refer to, and where the decoder stands at the
// beginning, which a raw block does not change: so those of a frame of the rest may stand behind one.
Status FrameEncoder::EncodeFirst(const uint8_t* plain, size_t size, size_t head, Bytes* out) {
  if (size > head) SHOAL_RETURN_IF_ERROR(Compress(plain + head, size - head, &rest_));
  if (size <= head || !IsWorthwhile(rest_.size(), size - head)) {
    *out = Store(plain, size);
    return Status();
  }
  const size_t skipped = HeaderLength(rest_.data());
  const size_t before = kStoredOffset + head;
  frame_.resize(before + rest_.size() - skipped);
  PutHeader(frame_.data(), size);
  PutRawBlock(frame_.data() + kHeaderLength, plain, head, false);
  std::memcpy(frame_.data() + before, rest_.data() + skipped, rest_.size() - skipped);
  *out = {frame_.data(), frame_.size()};
  return Status();
}

Status FrameEncoder::Compress(const uint8_t* plain, size_t size, std::vector<uint8_t>* out) {
  out->resize(ZSTD_compressBound(size));
  const size_t length = ZSTD_compress2(context_.get(), out->data(), out->size(), plain, size);
  if (ZSTD_isError(length) != 0) {
    return Status(Code::kInternal, std::string("zstd cannot compress: ") + ZSTD_getErrorName(length));
  }
  out->resize(length);
  return Status();
}

Bytes FrameEncoder::Store(const uint8_t* plain, size_t size) {
  frame_.resize(StoredLength(size));
  PutHeader(frame_.data(), size);
  uint8_t* to = frame_.data() + kHeaderLength;
  size_t done = 0;
  do {
    const size_t part = std::min(kMaxBlock, size - done);
    PutRawBlock(to, plain + done, part, done + part == size);
    to += kBlockHeaderLength + part;
    done += part;
  } while (done < size);
  return {frame_.data(), frame_.size()};
}

Status EncodeSeekTable(const std::vector<uint64_t>& offsets, uint64_t plain_length, uint64_t frame_length,
                       std::string* out) {
  const uint64_t count = offsets.size() - 1;
  const uint64_t length = count * 8 + 9;
  if (count * 8 > format::kMaxAnswer) {
    return Status(Code::kUnsupported, "expected at most " + std::to_string(format::kMaxAnswer / 8) +
                                          " frames in a volume, found " + std::to_string(count) +
                                          "; give --volume-size, or a larger frame length");
  }
  out->clear();
  out->reserve(length + 8);
  Append(out, format::kSeekTableMagic);
  Append(out, static_cast<uint32_t>(length));
  for (uint64_t i = 0; i < count; i++) {
    Append(out, static_cast<uint32_t>(offsets[i + 1] - offsets[i]));
    Append(out, static_cast<uint32_t>(std::min(frame_length, plain_length - i * frame_length)));
  }
  Append(out, static_cast<uint32_t>(count));
  out->push_back(0);
  Append(out, format::kSeekTableFooter);
  return Status();
}

}  // namespace shoal
