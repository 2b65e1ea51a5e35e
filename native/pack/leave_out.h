// Takes files out of a walked tree, as if the walk had not met them.
#pragma once

#include <cstdint>
#include <vector>

#include "pack/pack_catalogue.h"

namespace shoal {

// Removes the files `entries` from the catalogue, and with each its other names, which are told in *others. What was
// planned and written for the catalogue is forgotten. The result is that of a walk of a tree that lacks them.
void LeaveOut(PackCatalogue* catalogue, std::vector<uint32_t> entries, std::vector<Problem>* others);

}  // namespace shoal
