// Owned descriptors and exact positional reads and writes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "status.h"

namespace shoal {

class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(other.release()) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    if (this != &other) reset(other.release());
    return *this;
  }
  UniqueFd(const UniqueFd&) = delete;
  UniqueFd& operator=(const UniqueFd&) = delete;
  ~UniqueFd() { reset(); }

  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }
  int release() {
    int fd = fd_;
    fd_ = -1;
    return fd;
  }
  void reset(int fd = -1);

 private:
  int fd_ = -1;
};

// Opens for reading, close-on-exec. `path` is bytes.
Status OpenForRead(const std::string& path, UniqueFd* out);

// OpenForRead of a regular file, and its length. Anything else there is `otherwise`; a FIFO or a device is not waited
// for.
Status OpenRegular(const std::string& path, Code otherwise, UniqueFd* out, uint64_t* length);

// Reads exactly `size` bytes at `offset`; EINTR and short reads go on; the end of file before that is kTruncated at
// path and offset.
Status ReadExact(int fd, const std::string& path, uint64_t offset, void* to, size_t size);

// Reads up to `size` bytes, fewer only at the end of file.
Status ReadUpTo(int fd, const std::string& path, uint64_t offset, void* to, size_t size, size_t* got);

// Drops these bytes from the page cache, so that the next read of them comes from storage.
void ForgetPages(int fd, uint64_t offset, uint64_t size);

Status WriteExact(int fd, const std::string& path, uint64_t offset, const void* from, size_t size);

}  // namespace shoal
