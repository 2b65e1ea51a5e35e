// What a catalogue says of the stored bytes of its files, filled in as they are written.
#pragma once

#include <cstddef>
#include <cstdint>

#include "pack/pack_catalogue.h"

namespace shoal {

// The stored bytes of the file begin at `offset` of the volume.
void SetPlace(Catalogue* catalogue, uint32_t file, uint16_t volume, uint64_t offset);

// Fills in the checksums of a run of stored bytes: `stored` are all of the file's, `at` is where the run begins in
// them, at a chunk. It ends at a chunk, too, or with the file.
void SetChecksums(Catalogue* catalogue, uint32_t file, uint64_t stored, uint64_t at, const char* data, size_t size);

// When that is done for all other files: copies are what their originals are.
void FillCopies(PackCatalogue* catalogue);

}  // namespace shoal
