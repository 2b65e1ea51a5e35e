// Removes from the sources of a pack what the image was found to hold.
#pragma once

#include <cstdint>
#include <vector>

#include "core/catalogue.h"
#include "core/progress.h"
#include "remove/source_comparison.h"

namespace shoal {

struct RemovedSources {
  uint64_t entries = 0;
  uint64_t inodes = 0;  // given back to the filesystem
  uint64_t bytes = 0;   // of content whose last name was removed
  std::vector<Problem> kept;
  // Directories that stay because of something in them that was not compared, and that nothing in `kept` explains.
  std::vector<std::string> not_empty;
};

// With `jobs` threads (0: as many as storage keeps busy) removes each entry that was the same in `comparison` and is
// still what was compared: files first, then the directories that are empty by then, the deepest first, the sources
// themselves last. Everything else stays and is told in *out, what the comparison has kept included.
//
// A file is opened, looked at, kept from being opened for writing (a lease, fcntl(2), where the filesystem has them),
// set aside under another name and looked at again: so one that somebody put in its place in the last moment is not
// removed. Call it when image and index are durable under their names.
Status RemoveSources(SourceComparison* comparison, unsigned jobs, Progress* progress, RemovedSources* out);

}  // namespace shoal
