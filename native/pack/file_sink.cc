#include "pack/file_sink.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace shoal {
namespace {

constexpr int kFlags = O_WRONLY | O_CLOEXEC | O_NOFOLLOW;

}  // namespace

Status FileSink::Create(const std::string& path, uint64_t length, std::unique_ptr<VolumeSink>* out) {
  UniqueFd fd(open(path.c_str(), kFlags | O_CREAT | O_EXCL, 0666));
  if (!fd.valid()) return Status::FromErrno("cannot create", path, errno);
  if (ftruncate(fd.get(), static_cast<off_t>(length)) != 0) {
    return Status::FromErrno(("cannot make a file of " + std::to_string(length) + " bytes").c_str(), path, errno);
  }
  out->reset(new FileSink(path, std::move(fd)));
  return Status();
}

Status FileSink::Reopen() {
  std::lock_guard<std::mutex> lock(mutex_);
  if (fd_.valid()) return Status();
  fd_.reset(open(path_.c_str(), kFlags));
  return fd_.valid() ? Status() : Status::FromErrno("cannot open", path_, errno);
}

Status FileSink::Write(uint64_t offset, const char* data, size_t size) {
  SHOAL_RETURN_IF_ERROR(Reopen());
  SHOAL_RETURN_IF_ERROR(WriteExact(fd_.get(), path_, offset, data, size));
  // Storage begins at once, so that less is left for the sync at the end. What it cannot do, that will tell.
  sync_file_range(fd_.get(), static_cast<off64_t>(offset), static_cast<off64_t>(size), SYNC_FILE_RANGE_WRITE);
  return Status();
}

Status FileSink::Sync() {
  SHOAL_RETURN_IF_ERROR(Reopen());
  // Where space is taken late, the lack of it shows here.
  return fdatasync(fd_.get()) == 0 ? Status() : Status::FromErrno("cannot sync", path_, errno);
}

}  // namespace shoal
