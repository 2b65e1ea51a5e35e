// One catalogue over the trees of several images, whose volumes stay as they are.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/catalogue.h"
#include "core/progress.h"
#include "core/status.h"

namespace shoal {

struct MergeRequest {
  std::vector<std::string> parts;              // indexes; later ones win
  std::vector<std::vector<uint32_t>> volumes;  // for each part: the number of each of its volumes among those of all
  std::vector<std::string> removed;            // paths that the result lacks, with all below them
  bool keeps_volumes = false;                  // those, too, of which the result needs nothing
};

struct Merged {
  Catalogue catalogue;
  uint64_t bytes = 0;                // of content of files, aliases not counted again
  std::vector<uint32_t> volumes;     // numbers of those that are used or kept, ascending: the rows that the catalogue counts
  std::vector<std::string> missing;  // of `removed`, those that the merged tree would not have had
};

// Merges as Tree (core/tree.h) shows several images; each entry keeps its metadata, link counts too. Of the names of
// one file, the first in index order that is left becomes its entry. Opens no volume. kMalformed where an index
// contradicts itself, kUnsupported where the result would have too many entries or volumes.
Status MergeImages(const MergeRequest& request, Progress* progress, Merged* out);

}  // namespace shoal
