// The 512-byte header block of a tar member and the numbers in it. Layouts: POSIX.1-2017 pax "ustar Interchange
// Format"; GNU tar manual, "Basic Tar Format"; star(5).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace shoal::tar {

constexpr size_t kBlock = 512;

struct Field {
  size_t offset;
  size_t length;
};

constexpr Field kName{0, 100};
constexpr Field kMode{100, 8};
constexpr Field kUid{108, 8};
constexpr Field kGid{116, 8};
constexpr Field kSize{124, 12};
constexpr Field kMtime{136, 12};
constexpr Field kChecksum{148, 8};
constexpr size_t kType = 156;
constexpr Field kLinkName{157, 100};
constexpr Field kMagic{257, 8};  // magic and version
constexpr Field kDeviceMajor{329, 8};
constexpr Field kDeviceMinor{337, 8};
constexpr Field kPrefix{345, 155};      // POSIX
constexpr Field kStarPrefix{345, 131};  // star puts access and change time behind it
constexpr Field kStarAccessTime{476, 12};
constexpr Field kStarChangeTime{488, 12};
constexpr size_t kGnuSparseRows = 386;  // 4 rows of 24 bytes: offset, length
constexpr size_t kGnuSparseMore = 482;
constexpr Field kGnuRealSize{483, 12};
constexpr size_t kGnuExtensionRows = 21;   // of a block that continues the rows
constexpr size_t kGnuExtensionMore = 504;  // of such a block
constexpr size_t kGnuSparseRow = 24;

// `length` rounded up to whole blocks. REQUIRES: length ≤ 2^63.
constexpr uint64_t Blocks(uint64_t length) { return (length + kBlock - 1) / kBlock * kBlock; }

// A text field up to its first NUL, or its end.
std::string_view Text(const uint8_t* block, Field field);

// A number: octal digits between blanks, or base 256 where the first bit is set (two's complement). An empty field is
// 0. False where it is neither, or needs more than 64 bits.
bool Number(const uint8_t* block, Field field, int64_t* out);

bool IsZeroBlock(const uint8_t* block);

// Whether the block's checksum field holds the sum of its bytes, taken as unsigned (POSIX) or as signed ones (old SunOS
// tars).
bool ChecksumMatches(const uint8_t* block);

// The sum that POSIX wants there.
uint32_t ComputeChecksum(const uint8_t* block);

}  // namespace shoal::tar
