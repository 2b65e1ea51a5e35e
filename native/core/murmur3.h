// MurmurHash3_x86_32, the hash of the index (FORMAT §4.4). The algorithm is Austin Appleby's, in the public domain
// (https://github.com/aappleby/smhasher/blob/master/src/MurmurHash3.cpp).
#pragma once

#include <cstddef>
#include <cstdint>

#include "bytes.h"

namespace shoal {

inline uint32_t Murmur3(const void* key, size_t size, uint32_t seed) {
  const auto rotate = [](uint32_t value, int by) { return (value << by) | (value >> (32 - by)); };
  const auto mix = [&rotate](uint32_t block) { return rotate(block * 0xCC9E2D51, 15) * 0x1B873593; };

  const auto* data = static_cast<const uint8_t*>(key);
  uint32_t hash = seed;
  size_t left = size;
  for (; left >= 4; data += 4, left -= 4) hash = rotate(hash ^ mix(Load<uint32_t>(data)), 13) * 5 + 0xE6546B64;

  uint32_t tail = 0;
  for (size_t i = left; i-- > 0;) tail = (tail << 8) | data[i];
  if (left > 0) hash ^= mix(tail);

  hash ^= static_cast<uint32_t>(size);
  hash = (hash ^ (hash >> 16)) * 0x85EBCA6B;
  hash = (hash ^ (hash >> 13)) * 0xC2B2AE35;
  return hash ^ (hash >> 16);
}

}  // namespace shoal
