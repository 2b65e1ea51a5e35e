// The files that the content of an image is compared with: those of a directory, or the sources of a pack.
#pragma once

#include <cstdint>
#include <vector>

#include "core/file.h"
#include "core/status.h"
#include "unpack/content_reader.h"

namespace shoal {

// Called from all threads; `worker` tells them apart: one worker makes one call of Open at a time.
class ComparedFiles {
 public:
  virtual ~ComparedFiles() = default;

  // The files to compare with that of the image's entry `entry`, by numbers of their own.
  virtual std::vector<uint32_t> Names(uint32_t entry) const = 0;

  virtual Status Open(unsigned worker, uint32_t name, const ContentFile& file, UniqueFd* fd) = 0;

  // What came of it, once for each name but those whose entry is damaged in the image. ok: every byte is the same, and
  // `fd` is still open. Else kDifferent, or why it could not be opened (`fd` is −1 then) or read.
  virtual void Compared(uint32_t name, int fd, const Status& outcome) = 0;
};

}  // namespace shoal
