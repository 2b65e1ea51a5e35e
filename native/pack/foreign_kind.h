// What a file is that turned out to be no tar, so that the message can say so.
#pragma once

#include <cstddef>
#include <cstdint>

namespace shoal::tar {

struct ForeignKind {
  const char* name;  // "gzip-compressed"
  bool compressed;   // and may hold a tar
};

// nullptr where the first bytes of the file tell nothing.
const ForeignKind* FindForeignKind(const uint8_t* bytes, size_t size);

}  // namespace shoal::tar
