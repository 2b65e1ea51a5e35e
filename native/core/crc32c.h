// CRC32C (Castagnoli), by the processor's instruction where it has one (SSE4.2, ARMv8 CRC), else by tables.
#pragma once

#include <cstddef>
#include <cstdint>

namespace shoal {

// Checksum of `size` bytes; `seed` is the checksum of the bytes before them, so calls chain.
uint32_t Crc32c(const void* data, size_t size, uint32_t seed = 0);

// Checksum of two runs of bytes one behind the other, from the checksum of each; `length` is that of the second.
uint32_t Crc32cJoin(uint32_t first, uint32_t second, uint64_t length);

// The same as Crc32c by tables alone, so that a test can hold the two against each other.
uint32_t Crc32cPortable(const void* data, size_t size, uint32_t seed = 0);

}  // namespace shoal
