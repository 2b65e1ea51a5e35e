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
  std::vector<uint32_t> failed_files;  // their entries
  std::vector<Problem> directories;    // changed; where the catalogue skips_unreadable, else they are in `changed`
};

// Writes catalogue->plan to the existing, empty file at `path` with `jobs` threads, all but what needs the image's id:
// the id in the head, and what stands behind the tail's links, the checksums of pieces and the root's member. Fills in
// checksums and offsets. The same catalogue gives the same bytes, whatever `jobs` is.
//
// Files that cannot be read, or are no longer what the walk saw, are listed, every one of them. As the volume is of no
// use then, only the first of them costs anything: from there on files are opened and looked at, but not read any more.
Status WriteVolume(PackCatalogue* catalogue, const std::string& path, unsigned jobs, Progress* progress, Written* out);

// Completes what WriteVolume wrote, and syncs it. *pieces is one checksum for each piece of the whole volume.
Status FinishVolume(PackCatalogue* catalogue, const std::string& path, const uint8_t* id,
                    std::vector<uint32_t>* pieces);

}  // namespace shoal
