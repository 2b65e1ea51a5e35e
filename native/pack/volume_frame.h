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

// The head with an id of zeros.
std::string VolumeHead();

// Writes the id into the head of a volume that Shoal wrote, and syncs it. Another head is kWrongVolume.
Status StampVolume(const std::string& path, const uint8_t* id);

// Entries whose nlink is not the number of their names in the image, with it.
using Links = std::vector<std::pair<uint32_t, uint32_t>>;

// Appends the headers with links and everything behind them; `offset` is where they will stand.
void AppendVolumeEnd(const Links& links, uint64_t offset, std::string* to);

// The headers with checksums of a volume that has `count` of them.
uint64_t ChecksumHeadersLength(uint64_t count);

// One of these headers: up to kChecksumsPerHeader values from the one numbered `first`.
constexpr uint64_t kChecksumsPerHeader = 32768;
void AppendChecksumHeader(uint64_t first, const uint32_t* values, uint64_t count, std::string* to);

}  // namespace shoal
