// Looks at some of a tree's content to find out whether compressing pays.
#pragma once

#include "core/progress.h"
#include "pack/pack_catalogue.h"

namespace shoal {

// Reads up to 2 MiB from places spread over the tree, and compresses it. The same catalogue gives the same answer. What
// cannot be read is passed over: writing finds it.
Status SampleContent(const PackCatalogue& catalogue, Progress* progress, bool* pays);

}  // namespace shoal
