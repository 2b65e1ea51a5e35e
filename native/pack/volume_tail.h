// The tail of a volume as far as it is known before the image's id is: checksums of files, and links (FORMAT §6.3).
#pragma once

#include <cstddef>

#include "pack/volume_set.h"

namespace shoal {

// When all checksums of the volume's files are filled in.
Status WriteVolumeTail(const PackCatalogue& catalogue, size_t volume, VolumeSet* volumes);

}  // namespace shoal
