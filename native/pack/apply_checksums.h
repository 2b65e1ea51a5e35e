// Gives a scanned catalogue the checksums that the tails of its volumes hold.
#pragma once

#include <cstdint>
#include <vector>

#include "core/catalogue.h"
#include "core/tree_builder.h"

namespace shoal {

// `values` are those of all volumes, one after the other: of arrivals.files in that order. Fills checksums,
// chunk_checksums and has_checksums. kMalformed where there are not as many values as the files need.
Status ApplyChecksums(const std::vector<uint32_t>& values, const TreeBuilder::Arrivals& arrivals, Catalogue* catalogue);

}  // namespace shoal
