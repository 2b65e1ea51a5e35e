// The numbers of docs/FORMAT.md, section by section; src/format/constants.ts holds the same (a test compares the two).
#pragma once

#include <cstdint>

namespace shoal::format {

// §3 header
constexpr uint8_t kMagic[8] = {0x89, 'S', 'H', 'O', 'A', 'L', '\r', '\n'};
constexpr uint16_t kMajor = 1;
constexpr uint16_t kMinor = 1;
constexpr uint32_t kHeaderLength = 4096;
constexpr uint32_t kBlockSize = 65536;
constexpr uint32_t kMaxSections = 126;
constexpr uint32_t kIdLength = 16;
constexpr uint32_t kSectionRowLength = 32;
constexpr uint32_t kSectionEssential = 1;
constexpr uint32_t kSectionAlignment = 64;

// §4 sections
enum class Section : uint32_t {
  kBlocks = 1,
  kEntries,
  kNames,
  kNameGroups,
  kHash,
  kAttributes,
  kXattrs,
  kLinkTargets,
  kDirectories,
  kExtents,
  kChecksums,
  kWide,
  kVolumes,
  kMetadata,
  kPieces,
  kFrames,
};
constexpr uint32_t kLastSection = 16;

// §4.2 entries
constexpr uint32_t kPageLength = 4096;
constexpr uint32_t kPageEntries = 128;
constexpr uint32_t kNameGroupEntries = 65536;
constexpr uint32_t kAliasAttributes = 0xFFFFFE;
constexpr uint32_t kWideAttributes = 0xFFFFFF;
constexpr uint32_t kExtentListVolume = 0xFFFF;
constexpr uint32_t kMaxNameLength = 255;
constexpr uint32_t kMaxEntries = 0xFFFFFFFE;  // inode numbers are entry + 1, in 32 bits

// §4: bounds on what an index may say
constexpr uint64_t kMaxAnswer = 1 << 30;                  // bytes of a set, a list or a table
constexpr uint64_t kMaxNumber = (uint64_t{1} << 53) - 1;  // lengths, sizes, sums, seconds

// §4.4 hash
constexpr uint32_t kBucketSlots = 16;
constexpr uint32_t kBucketFill = 12;
constexpr uint32_t kBucketLength = 64;
constexpr uint32_t kTagBits = 8;
constexpr uint32_t kTagMultiplier = 0x9E3779B1;

// §4.5 to §4.11 rows
constexpr uint32_t kAttributesRowLength = 24;
constexpr uint32_t kNoXattrs = 0xFFFFFFFF;
constexpr uint32_t kDirectoryRowLength = 24;
constexpr uint32_t kExtentRowLength = 32;
constexpr uint32_t kExtentListHeaderLength = 16;
constexpr uint32_t kChunkLength = 131072;
constexpr uint32_t kWideRowLength = 24;
constexpr uint32_t kVolumeRowLength = 64;
constexpr uint32_t kVolumeHasChecksums = 1;
constexpr uint32_t kVolumeByShoal = 2;
constexpr uint32_t kVolumeHasPieces = 4;
constexpr uint32_t kVolumeProbeLength = 4096;
constexpr uint32_t kCodecNone = 0;
constexpr uint32_t kCodecZstd = 1;

// §4.13 pieces
constexpr uint32_t kPieceLength = 1048576;

// §4.14 frames
constexpr uint32_t kMinFrameLength = 16384;
constexpr uint32_t kMaxFrameLength = 8388608;
constexpr uint32_t kFrameLength = 131072;   // unless said otherwise
constexpr uint32_t kMaxFrameGrowth = 4096;  // bytes that a frame may be longer than what it holds

// §6.4 the seek table of compressed volumes
constexpr uint32_t kSeekTableMagic = 0x184D2A5E;
constexpr uint32_t kSeekTableFooter = 0x8F92EAB1;

}  // namespace shoal::format
