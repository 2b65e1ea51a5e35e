// Writes the volume of a walked tree.
#pragma once

#include <string>
#include <vector>

#include "core/progress.h"
#include "pack/pack_catalogue.h"

namespace shoal {

struct Written {
  uint64_t length = 0;
  std::vector<Problem> unreadable;
  std::vector<Problem> changed;
};

// Writes catalogue->plan to the existing, empty file at `path` with `jobs` threads and syncs it; the id in its head is
// zeros. Fills in checksums and offsets. The same catalogue gives the same bytes, whatever `jobs` is.
//
// Files that cannot be read, or are no longer what the walk saw, are listed, every one of them. As the volume is of no
// use then, only the first of them costs anything: from there on files are opened and looked at, but not read any more.
Status WriteVolume(PackCatalogue* catalogue, const std::string& path, unsigned jobs, Progress* progress, Written* out);

}  // namespace shoal
