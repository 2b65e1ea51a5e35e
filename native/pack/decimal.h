// Decimal numbers as tar's text formats have them.
#pragma once

#include <cstdint>
#include <string_view>

namespace shoal::tar {

// Only digits, at least one, at most 2^63 − 1 (so that sums of two never wrap around); false for anything else.
inline bool ParseDecimal(std::string_view text, uint64_t* out) {
  if (text.empty()) return false;
  uint64_t value = 0;
  for (char digit : text) {
    if (digit < '0' || digit > '9') return false;
    const uint64_t next = value * 10 + static_cast<uint64_t>(digit - '0');
    if (value > (uint64_t{1} << 63) / 10 || next >> 63 != 0) return false;
    value = next;
  }
  *out = value;
  return true;
}

}  // namespace shoal::tar
