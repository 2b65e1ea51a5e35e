// Where everything stands in a volume, before the first byte of it is written.
#pragma once

#include <cstdint>
#include <vector>

#include "pack/volume_frame.h"

namespace shoal {

struct PackCatalogue;

// What one thread writes at once.
struct PlanStep {
  enum class Kind : uint8_t {
    kEntries,      // the members of the entries from `first` on that are no directories
    kStored,       // a range of the stored bytes of the large file `first`
    kDirectories,  // the members of Plan::directories from the one numbered `first` on; the root's stands behind the
                   // tail
  };
  Kind kind = Kind::kEntries;
  uint32_t first = 0;
  uint32_t count = 0;   // of entries or directories
  uint64_t offset = 0;  // in the volume
  uint64_t stored_offset = 0;
  uint64_t stored_length = 0;
};

struct Plan {
  // Files above this length are written in steps of their own; the data of the others stand in memory with their
  // headers.
  static constexpr uint64_t kLargeFile = 1 << 20;
  static constexpr uint64_t kMembersLength = 1 << 20;  // a step of members ends when it has this length
  static constexpr uint64_t kLargeStep = 8 << 20;      // a multiple of the chunk length

  std::vector<PlanStep> steps;        // in order of offset
  std::vector<uint32_t> directories;  // entries, in the order of their members: the last one first
  uint64_t stored_bytes = 0;
  uint64_t checksum_count = 0;  // values in the tail
  uint64_t tail_offset = 0;
  Links links;
  uint64_t pieces_offset = 0;  // of the tail's headers with checksums of pieces, which the root's member follows
  uint64_t volume_length = 0;
};

// Fills catalogue->plan, and gives each file with more than one chunk its rows in chunk_checksums.
Status MakePlan(PackCatalogue* catalogue, unsigned jobs);

}  // namespace shoal
