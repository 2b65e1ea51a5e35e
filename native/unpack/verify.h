// Reads every byte of an image, its index and its volumes' content, and holds it against its checksums.
#pragma once

#include <cstdint>
#include <vector>

#include "core/catalogue.h"
#include "core/image.h"
#include "core/progress.h"

namespace shoal {

class PieceCheck;
class ProblemList;
class VerifySink;

struct VerifyOutcome {
  uint64_t entries = 0;
  uint64_t bytes = 0;             // of content
  uint64_t unchecked_bytes = 0;   // of them: read, but the index has no checksums for their volumes
  uint64_t unframed_volumes = 0;  // of which only the files were read: the index has no checksums of pieces
  // Damaged entries, in index order; if there are none, damage between files; then of compressed volumes those whose
  // seek table is not that of the index.
  std::vector<Problem> problems;
};

// A damaged index is the status; damaged entries are listed, and the rest is gone through.
Status Verify(const Image& image, unsigned jobs, Progress* progress, VerifyOutcome* out);

// What a reading of all content with `sink` and `pieces` has found.
VerifyOutcome GatherOutcome(const Image& image, uint64_t bytes, const VerifySink& sink, ProblemList* problems,
                            PieceCheck* pieces);

}  // namespace shoal
