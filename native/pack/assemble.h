// Puts what a walk found into index order (FORMAT §4.2).
#pragma once

#include <deque>
#include <vector>

#include "pack/attribute_table.h"
#include "pack/listing.h"
#include "pack/pack_catalogue.h"

namespace shoal {

// Listing 0 holds the sources as children. Each listing is emptied as soon as it is done with, so that the tree is not
// in memory twice. The first name of a hard-linked file in index order is its entry, the others become aliases.
// `measures_space`: the catalogue gets its `spaces`.
Status Assemble(std::deque<Listing>* listings, AttributeTable* attributes, const std::vector<Source>& sources,
                bool measures_space, PackCatalogue* out);

}  // namespace shoal
