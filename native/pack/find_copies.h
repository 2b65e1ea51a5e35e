// Files of equal content, which are to be stored once.
#pragma once

#include "core/progress.h"
#include "pack/pack_catalogue.h"

namespace shoal {

// Fills catalogue->originals, with `jobs` threads (0: as many as storage keeps busy). Files of one size are read and
// compared by a hash, those with the same one are compared byte by byte; empty ones and those with holes are left out.
// Of equal files the one with the lowest entry is the original of the others. What cannot be read, or changed since the
// walk, is nobody's copy: writing tells why. Memory is 4 bytes a file, and a bounded number of hashes, or those of all
// files of one size.
Status FindCopies(PackCatalogue* catalogue, unsigned jobs, Progress* progress);

}  // namespace shoal
