// Samples of WebDataset: files of one directory whose names are equal up to the first dot.
#pragma once

#include <cstdint>

#include "core/catalogue.h"

namespace shoal {

// Whether the entries are of one sample. Names without a dot, or with none before it, are of no sample.
bool IsSameSample(const Catalogue& catalogue, uint32_t a, uint32_t b);

}  // namespace shoal
