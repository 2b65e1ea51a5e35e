// Replies whose data the kernel moves from a file to the FUSE device by itself, through a pipe (splice(2)).
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/file.h"

namespace shoal::fuse {

class SplicePipe {
 public:
  // For replies of up to `size` bytes of data, or fewer where the pipe may not be so long (fs.pipe-max-size); false
  // where there is none.
  bool Open(size_t size);

  size_t capacity() const { return capacity_; }  // bytes of data; 0: it is not open

  // Sends a reply with `size` bytes from `offset` of `file`, all of them or nothing. False: nobody was answered.
  bool Send(int device, uint64_t unique, int file, uint64_t offset, size_t size);

 private:
  void Empty();

  UniqueFd reading_;
  UniqueFd writing_;
  size_t capacity_ = 0;
};

}  // namespace shoal::fuse
