#include "core/show_bytes.h"

#include <cstdint>

namespace shoal {
namespace {

// Length of the UTF-8 sequence at the beginning of `bytes` and the character that it is; 0 where there is no valid one.
size_t Decode(std::string_view bytes, uint32_t* character) {
  const auto first = static_cast<uint8_t>(bytes[0]);
  const size_t length = first < 0x80   ? 1
                        : first < 0xC0 ? 0
                        : first < 0xE0 ? 2
                        : first < 0xF0 ? 3
                        : first < 0xF8 ? 4
                                       : 0;
  if (length == 0 || length > bytes.size()) return 0;
  *character = length == 1 ? first : first & (0x7Fu >> length);
  for (size_t i = 1; i < length; i++) {
    const auto next = static_cast<uint8_t>(bytes[i]);
    if ((next & 0xC0) != 0x80) return 0;
    *character = *character << 6 | (next & 0x3F);
  }
  constexpr uint32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = *character >= 0xD800 && *character < 0xE000;
  return *character < kLeast[length] || *character > 0x10FFFF || surrogate ? 0 : length;
}

bool IsHidden(uint32_t c) {
  return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0x061C || c == 0x200E || c == 0x200F ||
         (c >= 0x2028 && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069) || c == 0xFEFF;
}

const char* ShortEscape(char byte) {
  switch (byte) {
    case '\n':
      return "\\n";
    case '\t':
      return "\\t";
    case '\r':
      return "\\r";
    case '\\':
      return "\\\\";
    default:
      return nullptr;
  }
}

}  // namespace

std::string ShowBytes(std::string_view bytes) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string shown;
  for (size_t at = 0; at < bytes.size();) {
    uint32_t character = 0;
    const size_t length = Decode(bytes.substr(at), &character);
    const size_t step = length == 0 ? 1 : length;
    if (const char* escape = ShortEscape(bytes[at])) {
      shown += escape;
    } else if (length > 0 && !IsHidden(character)) {
      shown.append(bytes.substr(at, length));
    } else {
      for (const char byte : bytes.substr(at, step)) {
        const auto value = static_cast<uint8_t>(byte);
        shown += {'\\', 'x', kDigits[value >> 4], kDigits[value & 15]};
      }
    }
    at += step;
  }
  return shown;
}

}  // namespace shoal
