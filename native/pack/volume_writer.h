// Writes the volumes of a walked tree.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/progress.h"
#include "pack/checkpoints.h"
#include "pack/pack_catalogue.h"

namespace shoal {

struct Written {
  std::vector<Problem> unreadable;
  std::vector<Problem> changed;
  std::vector<uint32_t> failed_files;  // their entries
  std::vector<Problem> directories;    // changed; where the catalogue skips_unreadable, else they are in `changed`
};

// Writes catalogue->plan to new files at `paths`, one for each volume, with `jobs` threads (0: as many as storage
// keeps busy), all but what needs the
// image's id: the id in the heads, and what stands behind the links of the tails, the checksums of pieces and the
// root's members. Fills in checksums and places. The same catalogue gives the same bytes, whatever `jobs` is.
//
// Files that cannot be read, or are no longer what the walk saw, are listed, every one of them. As the volumes are of
// no use then, only the first of them costs anything: from there on files are opened and looked at, but not read any
// more.
//
// With `checkpoints` it is made durable from time to time, and a run that was stopped is gone on with: what it had made
// durable is not read and written again.
Status WriteVolumes(PackCatalogue* catalogue, const std::vector<std::string>& paths,
                    const std::optional<CheckpointOptions>& checkpoints, unsigned jobs, Progress* progress,
                    Written* out);

}  // namespace shoal
