// Which ranges of a file hold data, as its filesystem reports them.
#pragma once

#include <cstdint>
#include <vector>

#include "core/index_view.h"
#include "core/status.h"

namespace shoal {

// Holes below this length are stored as zeros (FORMAT §6.2).
constexpr uint64_t kMinHole = 65536;

// Fills *data with the ranges (file_offset and length) of a file of `size` bytes that are not in a hole of at least
// kMinHole, in order. *holed tells whether there is such a hole. A filesystem that reports no holes has none.
Status FindData(int fd, uint64_t size, std::vector<Extent>* data, bool* holed);

}  // namespace shoal
