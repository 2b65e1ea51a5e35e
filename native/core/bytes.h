// Little-endian loads and stores at any alignment, and a view of bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace shoal {

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "Shoal reads its little-endian index in place");

template <typename T>
inline T Load(const void* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

template <typename T>
inline void Store(void* to, T value) {
  std::memcpy(to, &value, sizeof value);
}

struct Bytes {
  const uint8_t* data = nullptr;
  size_t size = 0;
};

}  // namespace shoal
