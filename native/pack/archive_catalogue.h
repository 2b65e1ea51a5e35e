// The tree in an archive, ready to be written as a volume, and where in the archive its content is.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "pack/pack_catalogue.h"
#include "pack/tar_scanner.h"

namespace shoal {

struct ArchiveCatalogue : PackCatalogue {
  // A run of a file's content. Those of one file stand together; what none covers are zeros.
  struct Segment {
    uint64_t stream_offset;
    uint64_t file_offset;
    uint64_t length;
    uint32_t entry;
  };
  std::vector<Segment> segments;  // by stream_offset; a copy has none
  // Of what the archive had as copies: an entry with segments, and one with the same content. The plan decides which of
  // them are copies of which in the volumes.
  std::vector<std::pair<uint32_t, uint32_t>> same_content;  // sorted
};

// Takes the scan of a stream over, whose offsets become those of segments. Holes become those that a volume has (FORMAT
// §6.2): what lies between runs that are near each other is stored as zeros. kUnsupported where an entry is nothing
// that a volume can hold.
Status TakeScan(TarScan scan, ArchiveCatalogue* out);

}  // namespace shoal
