// The checksums that cover a whole volume, files or not (FORMAT §4.13).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/image.h"
#include "core/progress.h"
#include "unpack/verify.h"

namespace shoal {

// Reads a volume of `length` bytes with `jobs` threads: CRC32C of each of its pieces.
Status PieceChecksums(int fd, const std::string& path, uint64_t length, unsigned jobs, const Progress& progress,
                      std::vector<uint32_t>* out);

// Holds whole volumes against the checksums of their pieces. Where files are damaged already it reads nothing: pieces
// would tell the same again.
Status CheckPieces(const Image& image, unsigned jobs, const Progress& progress, VerifyOutcome* out);

}  // namespace shoal
