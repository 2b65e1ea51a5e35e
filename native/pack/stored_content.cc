#include "pack/stored_content.h"

#include <algorithm>

#include "core/crc32c.h"
#include "core/format.h"
#include "pack/member_builder.h"

namespace shoal {

void SetPlace(Catalogue* catalogue, uint32_t file, uint16_t volume, uint64_t offset) {
  if (ExtentList* list = FindExtents(catalogue, file)) {
    for (Extent& extent : list->extents) {
      extent.volume = volume;
      extent.offset = offset;
      offset += extent.length;
    }
  } else if (catalogue->sizes[file] > 0) {
    catalogue->offsets[file] = offset;
    if (!catalogue->volumes.empty()) catalogue->volumes[file] = volume;
  }
}

void SetChecksums(Catalogue* catalogue, uint32_t file, uint64_t stored, uint64_t at, const char* data, size_t size) {
  if (stored <= format::kChunkLength) {
    catalogue->checksums[file] = Crc32c(data, size);
    return;
  }
  uint32_t* row = &catalogue->chunk_checksums[catalogue->checksums[file] + at / format::kChunkLength];
  for (size_t done = 0; done < size; done += format::kChunkLength) {
    *row++ = Crc32c(data + done, std::min<size_t>(format::kChunkLength, size - done));
  }
}

void FillCopies(PackCatalogue* catalogue) {
  for (uint32_t entry = 0; entry < catalogue->originals.size(); entry++) {
    if (!catalogue->IsCopy(entry)) continue;
    const uint32_t original = catalogue->originals[entry];
    catalogue->offsets[entry] = catalogue->offsets[original];
    catalogue->checksums[entry] = catalogue->checksums[original];
    if (!catalogue->volumes.empty()) catalogue->volumes[entry] = catalogue->volumes[original];
  }
}

}  // namespace shoal
