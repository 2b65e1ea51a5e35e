// Compresses volumes that were written plain.
#pragma once

#include <string>
#include <vector>

#include "core/progress.h"
#include "pack/pack_catalogue.h"

namespace shoal {

// Makes of the plain volumes at `plain`, of which all but what needs the image's id is written, those at `paths`, with
// the plan's level, and removes each of the plain ones when it is done. The catalogue's sinks are then the new ones.
Status CompressVolumes(PackCatalogue* catalogue, const std::vector<std::string>& plain,
                       const std::vector<std::string>& paths, unsigned jobs, Progress* progress);

}  // namespace shoal
