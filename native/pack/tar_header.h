// The headers of a pax tar, as docs/FORMAT.md §6 has them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/catalogue.h"

namespace shoal {

constexpr uint64_t kTarBlock = 512;

// `length` in whole blocks.
constexpr uint64_t Padded(uint64_t length) { return (length + kTarBlock - 1) / kTarBlock * kTarBlock; }

// The typeflags of members and of the headers before them: POSIX pax, and L and K of GNU.
enum class TarType : char {
  kFile = '0',
  kHardLink = '1',
  kSymlink = '2',
  kCharacterDevice = '3',
  kBlockDevice = '4',
  kDirectory = '5',
  kFifo = '6',
  kPax = 'x',
  kGlobalPax = 'g',
  kLongName = 'L',
  kLongLink = 'K',
};

struct Member {
  TarType type = TarType::kFile;
  std::string_view path;    // directories end in `/`
  std::string_view target;  // of links
  uint32_t mode = 0;        // the lowest 12 bits of st_mode
  uint32_t uid = 0;
  uint32_t gid = 0;
  int64_t seconds = 0;
  uint32_t nanoseconds = 0;
  uint64_t length = 0;  // of the data that follow, a sparse member's map included
  uint32_t device_major = 0;
  uint32_t device_minor = 0;
  bool sparse = false;
  uint64_t real_size = 0;      // of a sparse member's content
  std::string_view comment;    // or empty
  std::string_view xattr_set;  // encoded as FORMAT §4.6, or empty
};

// Appends every header of a member, whole blocks.
void AppendMemberHeader(const Member& member, std::string* to);

// Appends the map that begins a sparse member's data, padded to whole blocks (GNU tar manual, "PAX Format,
// Version 1.0").
void AppendSparseMap(const ExtentList& list, std::string* to);

// Appends a global pax header with one record, comment=`text`.
void AppendGlobalComment(std::string_view text, std::string* to);

// Length of such a header with a text of this length.
uint64_t GlobalCommentLength(uint64_t text_length);

// Seconds as a pax record has them: 1.5, -0.25, without trailing zeros.
std::string PaxTime(int64_t seconds, uint32_t nanoseconds);

}  // namespace shoal
