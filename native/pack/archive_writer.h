// Writes the volumes of a tree that lies in an archive.
#pragma once

#include <string>
#include <vector>

#include "core/progress.h"
#include "pack/archive_catalogue.h"
#include "pack/archive_stream.h"

namespace shoal {

// As WriteVolumes (pack/volume_writer.h), of an archive that is read once from its beginning to the last byte that is
// needed: content goes to its planned place in whatever order it comes. Volumes that are to be compressed, which needs
// their bytes in order, are written plain first, each to a file of its own beside them.
Status WriteArchive(ArchiveCatalogue* catalogue, ArchiveStream* stream, const std::vector<std::string>& paths,
                    unsigned jobs, Progress* progress);

}  // namespace shoal
