// A file whose bytes are read as they lie: an archive that is to be indexed.
#pragma once

#include <memory>
#include <string>

#include "core/block_source.h"
#include "core/file.h"

namespace shoal::tar {

class ArchiveFile final : public BlockSource {
 public:
  // A path that is no regular file is kUnsupported: data is addressed in place, so it must stay in place.
  static Status Open(const std::string& path, std::shared_ptr<const ArchiveFile>* out);

  int fd() const { return fd_.get(); }
  const std::string& path() const override { return path_; }
  uint64_t length() const override { return length_; }
  size_t block_length() const override { return kBlock; }
  StorageKind storage() const override { return KindOfStorage(fd_.get()); }
  Status Read(uint64_t offset, uint8_t* to, size_t size) const override {
    return ReadExact(fd_.get(), path_, offset, to, size);
  }
  void Forget(uint64_t offset, uint64_t size) const override { ForgetPages(fd_.get(), offset, size); }

 private:
  static constexpr size_t kBlock = 1 << 20;

  ArchiveFile() = default;

  std::string path_;
  UniqueFd fd_;
  uint64_t length_ = 0;
};

}  // namespace shoal::tar
