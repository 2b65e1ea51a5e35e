// Holds what the index says of the frames of compressed volumes against the volumes' own seek tables (FORMAT §6.4).
#pragma once

#include <vector>

#include "core/catalogue.h"
#include "core/image.h"

namespace shoal {

// Where they differ, one problem for each volume, in order. What the frames hold is not looked at.
std::vector<Problem> CheckFrames(const Image& image);

}  // namespace shoal
