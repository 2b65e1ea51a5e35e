#include "pack/foreign_kind.h"

#include <cstring>

namespace shoal::tar {
namespace {

struct Magic {
  const char* bytes;
  size_t size;
  ForeignKind kind;
};

// From file(1)'s database, and RFC 1952 (gzip), RFC 8878 (zstd).
constexpr Magic kMagics[] = {
    {"\x1F\x8B", 2, {"gzip-compressed", true}},
    {"\x28\xB5\x2F\xFD", 4, {"zstd-compressed", true}},
    {"\xFD\x37zXZ\0", 6, {"xz-compressed", true}},
    {"BZh", 3, {"bzip2-compressed", true}},
    {"\x04\x22\x4D\x18", 4, {"lz4-compressed", true}},
    {"LZIP", 4, {"lzip-compressed", true}},
    {"\x1F\x9D", 2, {"compress-compressed (.Z)", true}},
    {"PK\x03\x04", 4, {"a zip archive", false}},
    {"PK\x05\x06", 4, {"a zip archive", false}},
    {"7z\xBC\xAF\x27\x1C", 6, {"a 7z archive", false}},
    {"hsqs", 4, {"a SquashFS image", false}},
    {"070701", 6, {"a cpio archive", false}},
    {"070707", 6, {"a cpio archive", false}},
    {"!<arch>\n", 8, {"an ar archive", false}},
    {"\x89SHOAL\r\n", 8, {"the index of an image, not its volume", false}},
};

bool IsZstdSkippable(const uint8_t* bytes, size_t size) {
  return size >= 4 && (bytes[0] & 0xF0) == 0x50 && std::memcmp(bytes + 1, "\x2A\x4D\x18", 3) == 0;
}

}  // namespace

const ForeignKind* FindForeignKind(const uint8_t* bytes, size_t size) {
  static constexpr ForeignKind kZstd = {"zstd-compressed", true};
  for (const Magic& magic : kMagics) {
    if (size >= magic.size && std::memcmp(bytes, magic.bytes, magic.size) == 0) return &magic.kind;
  }
  return IsZstdSkippable(bytes, size) ? &kZstd : nullptr;
}

}  // namespace shoal::tar
