// Extracts entries of an image into a directory.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/catalogue.h"
#include "core/image.h"
#include "core/progress.h"

namespace shoal {

struct ExtractOutcome {
  uint64_t entries = 0;
  uint64_t bytes = 0;             // of content
  std::vector<Problem> problems;  // entries that were not extracted, or lack some of their metadata; in index order
};

// Extracts the entries at `paths` (all where there are none), with everything below them, into `directory`, which
// exists.
//
// What is there already: a directory is kept with what else it holds, and gets the image's metadata if it was selected;
// a file or a symbolic link is replaced by a new one where a file, link, device or FIFO is to stand; anything else is a
// problem. A symbolic link in the place of a directory is a problem too, and never followed. Directories above selected
// entries are made with the image's metadata where they are missing. The directory itself gets the root's metadata
// where all is extracted.
//
// No space or quota left ends it with that status; what else fails is listed, and the rest goes on.
Status Extract(const Image& image, const std::vector<std::string>& paths, const std::string& directory, unsigned jobs,
               Progress* progress, ExtractOutcome* out);

}  // namespace shoal
