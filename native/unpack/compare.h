// Compares an image with a directory: names, types, metadata, links and every byte of content.
#pragma once

#include <string>
#include <vector>

#include "core/image.h"
#include "core/progress.h"
#include "unpack/verify.h"

namespace shoal {

struct CompareOutcome {
  VerifyOutcome verified;
  // One for each difference, in index order; kDifferent, or why an entry of the directory could not be read.
  std::vector<Problem> differences;
  // Sockets of the directory: no image holds them.
  std::vector<Problem> ignored;
};

// Verifies the image and compares it with the tree at `directory`. Not compared: access and change times, inode
// numbers, sizes and link counts of directories (they are the filesystem's own business), holes (they read as zeros),
// and attributes that this user cannot see. Symbolic links are compared, not followed.
Status Compare(const Image& image, const std::string& directory, unsigned jobs, Progress* progress,
               CompareOutcome* out);

}  // namespace shoal
