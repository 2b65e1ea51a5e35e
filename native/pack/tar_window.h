// Reads headers out of a tar with few system calls and few bytes. Where members are small one large read serves many of
// them, data and all (which on storage with a delay is also much faster than skipping); where they are big each read is
// a page or two at a header.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/file.h"

namespace shoal::tar {

class TarWindow {
 public:
  // A path that is no regular file is kUnsupported: data is addressed in place, so it must stay in place.
  Status Open(const std::string& path);

  const std::string& path() const { return path_; }
  uint64_t size() const { return size_; }

  // *out is the `length` bytes at `offset`, until the next call. Beyond the end of the file: kTruncated.
  Status View(uint64_t offset, size_t length, const uint8_t** out);

 private:
  std::string path_;
  UniqueFd fd_;
  uint64_t size_ = 0;

  std::vector<uint8_t> buffer_;
  uint64_t start_ = 0;   // of buffer_ in the file
  size_t filled_ = 0;    // bytes of buffer_ that are valid
  uint64_t last_ = 0;    // offset of the last view
  uint64_t stride_ = 0;  // average distance between views, the recent ones counting most
};

}  // namespace shoal::tar
