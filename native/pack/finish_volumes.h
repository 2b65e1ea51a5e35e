// Completes volumes with the image's id.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "pack/pack_catalogue.h"

namespace shoal {

// Completes what WriteVolumes wrote to `paths`, and syncs it. (*pieces)[v] is one checksum for each piece of the whole
// volume v.
Status FinishVolumes(PackCatalogue* catalogue, const std::vector<std::string>& paths, const uint8_t* id, unsigned jobs,
                     std::vector<std::vector<uint32_t>>* pieces);

}  // namespace shoal
