// From a tar, uncompressed or as zstd frames with a seek table, to the catalogue of the tree that its extraction would
// make, by its headers alone.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/catalogue.h"
#include "core/progress.h"
#include "core/seek_table.h"
#include "core/status.h"

namespace shoal {

struct TarScan {
  Catalogue catalogue;
  uint64_t bytes = 0;            // of content of files, aliases not counted again
  std::vector<Problem> skipped;  // members that have no place in a tree
  std::string id;                // from the head of a volume that Shoal wrote, 32 hexadecimal digits; else empty
  std::vector<uint32_t> pieces;  // of a volume that Shoal wrote: a checksum for each; else empty
  SeekTable frames;              // of a compressed one; else without offsets
};

// kUnsupported: a file compressed otherwise, another archive, a multi-volume tar. kMalformed, kChecksum, kTruncated:
// what is damaged, with its offset. kChanged: it was written to meanwhile. A volume that Shoal wrote gives the
// catalogue that it was written from (FORMAT §6.3) or an error.
Status ScanTar(const std::string& path, Progress* progress, TarScan* out);

}  // namespace shoal
