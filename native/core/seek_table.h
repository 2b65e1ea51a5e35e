// The seek table at the end of a compressed volume (FORMAT §6.4): where its frames lie, as the volume itself says.
#pragma once

#include <cstdint>
#include <vector>

#include "block_source.h"
#include "status.h"

namespace shoal {

struct SeekTable {
  uint64_t plain_length = 0;
  uint64_t frame_length = 0;
  std::vector<uint64_t> offsets;  // where each frame begins, and where the last one ends
};

// kUnsupported: there is none, or the frames have lengths that an index cannot describe (FORMAT §4.14). kMalformed: it
// contradicts the file.
Status ReadSeekTable(const BlockSource& file, SeekTable* out);

// The frameLength of a volume of `plain_length` bytes whose frames are to have `frame_length`: another one only where
// it has but one frame.
uint64_t FrameLengthOf(uint64_t plain_length, uint64_t frame_length);

}  // namespace shoal
