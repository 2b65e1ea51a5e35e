// Divides a walked tree into slices that are packed, compared and removed one after the other, so that what is written
// never takes much more space than what was removed.
#pragma once

#include <cstdint>
#include <vector>

#include "core/status.h"
#include "pack/pack_catalogue.h"

namespace shoal {

struct SliceLimits {
  uint64_t max_extra = 0;    // bytes that may be taken beyond what the sources took
  uint64_t beside = 0;       // of these, what stands there all the time
  uint64_t volume_size = 0;  // of a slice's volume, at most, unless a single file is longer; 0: none
};

// The units (below) that begin with one of the entries [first, end).
struct Slice {
  // As many images as can be merged at once.
  static constexpr size_t kMaxSlices = 1024;

  uint32_t first = 0;
  uint32_t end = 0;
  uint64_t extra = 0;  // bytes that are taken beyond what the sources took while the slice is made, at most
};

// A unit is a file with all its names, another entry that is no directory, or a directory without children; it brings
// the directories above it along. Units stand in the order of the index, so the slices of a catalogue are the same each
// time. kUsage, with what would be needed, where the limits are too narrow.
Status PlanSlices(const PackCatalogue& catalogue, const SliceLimits& limits, unsigned jobs, std::vector<Slice>* out);

// Whether a unit begins with the entry.
inline bool BeginsUnit(const PackCatalogue& catalogue, uint32_t entry) {
  if (catalogue.IsAlias(entry)) return false;
  return !catalogue.IsDirectory(entry) || catalogue.counts[entry] == 0;
}

}  // namespace shoal
