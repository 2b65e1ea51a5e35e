// A volume that is a plain file.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "core/file.h"
#include "pack/volume_sink.h"

namespace shoal {

class FileSink : public VolumeSink {
 public:
  // Makes the file, which must not be there, and gives it its length at once, so that threads write within it in any
  // order.
  static Status Create(const std::string& path, uint64_t length, std::unique_ptr<VolumeSink>* out);
  // One that Create made; the file is opened when it is needed.
  static std::unique_ptr<VolumeSink> Open(const std::string& path) {
    return std::unique_ptr<VolumeSink>(new FileSink(path, UniqueFd()));
  }

  Status Write(uint64_t offset, const char* data, size_t size) override;
  void Rest() override { fd_.reset(); }
  Status Sync() override;

 private:
  FileSink(std::string path, UniqueFd fd) : path_(std::move(path)), fd_(std::move(fd)) {}
  Status Reopen();

  std::mutex mutex_;  // for fd_ while it is opened
  const std::string path_;
  UniqueFd fd_;
};

}  // namespace shoal
