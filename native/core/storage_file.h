// A file on a network filesystem: of errors that pass there it is read again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "counter.h"
#include "file.h"
#include "status.h"

namespace shoal {

class StorageFile {
 public:
  // `fd` is open for reading at `path`, where it is opened again should its handle become stale.
  StorageFile(UniqueFd fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}

  const std::string& path() const { return path_; }
  int fd() const { return fd_.get(); }
  uint64_t bytes_read() const { return bytes_read_.Sum(); }

  // Exactly `size` bytes at `offset`, tried again up to `retries` times (see read_retry.h). Thread-safe. Whoever reads
  // checks what came: after a stale handle it may be of another file.
  Status Read(uint64_t offset, void* to, size_t size, unsigned retries) const;

  // Drops what the kernel keeps of these bytes, so that the next read comes from storage.
  void Forget(uint64_t offset, uint64_t size) const;

 private:
  UniqueFd fd_;
  std::string path_;
  mutable Counter bytes_read_;
};

}  // namespace shoal
