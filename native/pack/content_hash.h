// MurmurHash3_x64_128 over content that comes piece by piece. The algorithm is Austin Appleby's, in the public domain
// (https://github.com/aappleby/smhasher/blob/master/src/MurmurHash3.cpp). It finds what is probably equal; what is
// equal says a comparison.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

namespace shoal {

class ContentHash {
 public:
  static constexpr size_t kBlock = 16;

  // Each piece but the last is whole blocks.
  void Add(const char* data, size_t size);
  std::pair<uint64_t, uint64_t> Finish();

 private:
  uint64_t low_ = 0;
  uint64_t high_ = 0;
  uint64_t length_ = 0;
};

}  // namespace shoal
