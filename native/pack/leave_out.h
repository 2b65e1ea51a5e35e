// Takes entries out of a walked tree, as if the walk had not met them.
#pragma once

#include <cstdint>
#include <vector>

#include "pack/pack_catalogue.h"

namespace shoal {

// Removes `entries` from the catalogue: with a directory all that is below it must be among them, and the root must not.
// With `others` the other names of each file among them go, too, and are told there; without, all names of a file must
// be among them. What was planned and written for
// the catalogue is forgotten. The result is that of a walk of a tree that lacks them, but for link counts.
void LeaveOut(PackCatalogue* catalogue, std::vector<uint32_t> entries, std::vector<Problem>* others = nullptr);

}  // namespace shoal
