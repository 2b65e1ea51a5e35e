// What stands before and behind the members of a volume: FORMAT §6.1 and §6.3.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/status.h"

namespace shoal {

constexpr uint64_t kVolumeHeadLength = 1024;
constexpr uint64_t kVolumeMultiple = 10240;  // tar's record: 20 blocks

// The head of volume `volume`, counted from 0, of `count`; without an id one of zeros, as it is until the id is known.
std::string VolumeHead(size_t volume, size_t count, const uint8_t* id = nullptr);

// What the tail lists in headers of up to kValuesPerHeader values each.
enum class TailValues { kChecksums, kPieces };
constexpr uint64_t kValuesPerHeader = 32768;

// One of these headers: `count` values from the one numbered `first`.
void AppendTailValues(TailValues kind, uint64_t first, const uint32_t* values, uint64_t count, std::string* to);

// Its length.
uint64_t TailHeaderLength(TailValues kind, uint64_t first, uint64_t count);

// All of them for `count` values.
uint64_t TailValuesLength(TailValues kind, uint64_t count);

// Entries whose nlink is not the number of their names in the image, with it.
using Links = std::vector<std::pair<uint32_t, uint32_t>>;
constexpr uint64_t kPairsPerHeader = kValuesPerHeader / 2;

// Appends the headers with links.
void AppendTailLinks(const Links& links, std::string* to);

// Appends what ends a volume; `offset` is where it will stand.
void AppendVolumeEnd(uint64_t offset, std::string* to);

// Length of a volume whose headers end at `offset`.
uint64_t EndedLength(uint64_t offset);

}  // namespace shoal
