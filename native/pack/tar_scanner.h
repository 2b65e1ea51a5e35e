// From a tar, uncompressed or as zstd frames with a seek table, or the volumes of one image, to the catalogue of the
// tree that its extraction would make, by its headers alone.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/catalogue.h"
#include "core/progress.h"
#include "core/seek_table.h"
#include "core/status.h"
#include "pack/archive_stream.h"

namespace shoal {

struct TarScan {
  Catalogue catalogue;
  uint64_t bytes = 0;             // of content of files, aliases not counted again
  std::vector<Problem> skipped;   // members that have no place in a tree
  std::vector<uint32_t> order;    // of the volumes: which of the given paths each is
  std::vector<SeekTable> frames;  // of each volume; without offsets where it is not compressed
  // Of volumes that Shoal wrote; else empty.
  std::string id;                             // from their heads, 32 hexadecimal digits
  std::vector<std::vector<uint32_t>> pieces;  // of each volume, a checksum for each
  // Of a stream that Shoal wrote: files that have the content of another one, which is no copy, and that.
  std::vector<std::pair<uint32_t, uint32_t>> copies;
};

// `paths` is one archive, or all volumes of one image in any order. kUnsupported: a file compressed otherwise, another
// archive, a multi-volume tar. kMalformed, kChecksum, kTruncated: what is damaged, with its offset. kMissing, kUsage:
// volumes are not all there, or not of one image. kChanged: it was written to meanwhile. Volumes that Shoal wrote give
// the catalogue that they were written from (FORMAT §6.3) or an error.
Status ScanTar(const std::vector<std::string>& paths, Progress* progress, TarScan* out);

// The same, of a stream from its beginning to its end; offsets are those in the stream. What a volume that Shoal wrote
// says of its own bytes is left aside. kUnsupported: one of several volumes.
Status ScanTarStream(ArchiveStream* stream, Progress* progress, TarScan* out);

}  // namespace shoal
