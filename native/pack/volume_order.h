// Which of the archives that a user names is which volume of an image.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "pack/volume_records.h"

namespace shoal {

struct ArchiveHead {
  uint32_t path = 0;  // number of the path
  uint64_t size = 0;
  VolumeRecords records;  // of the head alone
};

// Reads the beginning of each archive.
Status ReadHeads(const std::vector<std::string>& paths, std::vector<ArchiveHead>* out);

// Sorts `heads` by volume. kUsage where they are several, but not volumes of one image; kMissing where some of its
// volumes are not among them.
Status OrderVolumes(const std::vector<std::string>& paths, std::vector<ArchiveHead>* heads);

}  // namespace shoal
