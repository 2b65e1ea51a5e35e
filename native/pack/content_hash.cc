#include "pack/content_hash.h"

#include <cstring>

#include "core/bytes.h"

namespace shoal {
namespace {

constexpr uint64_t kFirst = 0x87C37B91114253D5;
constexpr uint64_t kSecond = 0x4CF5AD432745937F;

uint64_t Rotate(uint64_t value, int by) { return value << by | value >> (64 - by); }
uint64_t MixLow(uint64_t word) { return Rotate(word * kFirst, 31) * kSecond; }
uint64_t MixHigh(uint64_t word) { return Rotate(word * kSecond, 33) * kFirst; }

uint64_t Finalize(uint64_t value) {
  value = (value ^ (value >> 33)) * 0xFF51AFD7ED558CCD;
  value = (value ^ (value >> 33)) * 0xC4CEB9FE1A85EC53;
  return value ^ (value >> 33);
}

}  // namespace

void ContentHash::Add(const char* data, size_t size) {
  length_ += size;
  for (; size >= kBlock; data += kBlock, size -= kBlock) {
    low_ = (Rotate(low_ ^ MixLow(Load<uint64_t>(data)), 27) + high_) * 5 + 0x52DCE729;
    high_ = (Rotate(high_ ^ MixHigh(Load<uint64_t>(data + 8)), 31) + low_) * 5 + 0x38495AB5;
  }
  if (size == 0) return;
  char rest[kBlock] = {};
  std::memcpy(rest, data, size);
  if (size > 8) high_ ^= MixHigh(Load<uint64_t>(rest + 8));
  low_ ^= MixLow(Load<uint64_t>(rest));
}

std::pair<uint64_t, uint64_t> ContentHash::Finish() {
  low_ ^= length_;
  high_ ^= length_;
  low_ += high_;
  high_ += low_;
  low_ = Finalize(low_);
  high_ = Finalize(high_);
  low_ += high_;
  high_ += low_;
  return {low_, high_};
}

}  // namespace shoal
