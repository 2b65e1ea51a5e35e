// Takes entries out of a walked tree, as if the walk had not met them.
#pragma once

#include <cstdint>
#include <vector>

#include "pack/pack_catalogue.h"

namespace shoal {

// Removes `entries`, which are no directories, from the catalogue before its volume is written. Of a file that is
// removed all names must be. The result is that of a walk of a tree that lacks them, but for link counts.
void LeaveOut(PackCatalogue* catalogue, std::vector<uint32_t> entries);

}  // namespace shoal
