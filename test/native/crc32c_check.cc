// Holds Crc32c against Crc32cPortable over lengths around every step of the fast path, at every alignment, with and
// without a seed; and Crc32cJoin against both.
#include <cstdio>
#include <random>
#include <vector>

#include "core/crc32c.h"

int main() {
  std::mt19937_64 random(1);
  std::vector<uint8_t> bytes(200000);
  for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random());
  std::vector<size_t> lengths = {4096, 65536, 131071, 131072, 131073, 199990};
  for (size_t length = 0; length < 800; length++) lengths.push_back(length);
  for (size_t length = 6100; length < 6200; length++) lengths.push_back(length);
  for (size_t length = 6900; length < 6930; length++) lengths.push_back(length);
  for (const size_t length : lengths) {
    for (size_t alignment = 0; alignment < 8; alignment++) {
      const uint32_t seed = alignment % 2 == 0 ? 0 : static_cast<uint32_t>(random());
      const uint32_t found = shoal::Crc32c(bytes.data() + alignment, length, seed);
      const uint32_t expected = shoal::Crc32cPortable(bytes.data() + alignment, length, seed);
      const size_t split = length == 0 ? 0 : random() % (length + 1);
      const uint32_t joined =
          shoal::Crc32cJoin(shoal::Crc32c(bytes.data() + alignment, split, seed),
                            shoal::Crc32c(bytes.data() + alignment + split, length - split), length - split);
      if (found == expected && joined == expected) continue;
      std::printf("%zu bytes at %zu: expected %u, found %u, joined %u\n", length, alignment, expected, found, joined);
      return 1;
    }
  }
  std::puts("ok");
  return 0;
}
