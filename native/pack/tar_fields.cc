#include "pack/tar_fields.h"

#include <cstring>

#include "core/bytes.h"

namespace shoal::tar {
namespace {

bool Base256(const uint8_t* at, size_t length, int64_t* out) {
  const bool negative = (at[0] & 0x40) != 0;
  uint64_t value = negative ? ~uint64_t{0} : 0;
  for (size_t i = 0; i < length; i++) {
    const uint8_t byte = i == 0 ? (negative ? at[0] | 0x80 : at[0] & 0x7F) : at[i];
    // What is shifted out, and the sign bit itself, must be copies of the sign.
    const uint64_t high = value >> 55;
    if (high != (negative ? 0x1FF : 0)) return false;
    value = value << 8 | byte;
  }
  *out = static_cast<int64_t>(value);
  return true;
}

uint32_t SumOfChecksumField(const uint8_t* block) {
  uint32_t sum = 0;
  for (size_t i = 0; i < kChecksum.length; i++) sum += block[kChecksum.offset + i];
  return sum;
}

}  // namespace

std::string_view Text(const uint8_t* block, Field field) {
  const char* at = reinterpret_cast<const char*>(block + field.offset);
  return std::string_view(at, strnlen(at, field.length));
}

bool Number(const uint8_t* block, Field field, int64_t* out) {
  const uint8_t* at = block + field.offset;
  const uint8_t* end = at + field.length;
  if (*at & 0x80) return Base256(at, field.length, out);
  while (at < end && (*at == ' ' || *at == '\0')) at++;
  uint64_t value = 0;  // 12 octal digits are 36 bits
  while (at < end && *at >= '0' && *at <= '7') value = value << 3 | static_cast<uint64_t>(*at++ - '0');
  if (at < end && *at != ' ' && *at != '\0') return false;
  *out = static_cast<int64_t>(value);
  return true;
}

bool IsZeroBlock(const uint8_t* block) {
  uint64_t any = 0;
  for (size_t i = 0; i < kBlock; i += 8) any |= Load<uint64_t>(block + i);
  return any == 0;
}

uint32_t ComputeChecksum(const uint8_t* block) {
  // Four 16-bit sums side by side: 64 words × 2 bytes × 255 stay below 65 536.
  constexpr uint64_t kLow = 0x00FF00FF00FF00FF;
  uint64_t sums = 0;
  for (size_t i = 0; i < kBlock; i += 8) {
    const uint64_t word = Load<uint64_t>(block + i);
    sums += (word & kLow) + ((word >> 8) & kLow);
  }
  uint32_t sum = 0;
  for (; sums != 0; sums >>= 16) sum += sums & 0xFFFF;
  return sum - SumOfChecksumField(block) + static_cast<uint32_t>(kChecksum.length) * ' ';
}

bool ChecksumMatches(const uint8_t* block) {
  int64_t stored;
  if (!Number(block, kChecksum, &stored)) return false;
  const int64_t sum = ComputeChecksum(block);
  if (stored == sum) return true;
  int64_t negative = 0;
  for (size_t i = 0; i < kBlock; i++) {
    if (i < kChecksum.offset || i >= kChecksum.offset + kChecksum.length) negative += block[i] >> 7;
  }
  return stored == sum - 256 * negative;
}

}  // namespace shoal::tar
