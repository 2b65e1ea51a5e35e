#include "core/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace shoal {

void UniqueFd::reset(int fd) {
  if (fd_ >= 0) close(fd_);
  fd_ = fd;
}

namespace {

int Open(const std::string& path, int flags) {
  int fd;
  do {
    fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | flags);
  } while (fd < 0 && errno == EINTR);
  return fd;
}

}  // namespace

Status OpenForRead(const std::string& path, UniqueFd* out) {
  const int fd = Open(path, 0);
  if (fd < 0) return Status::FromErrno("cannot open", path, errno);
  out->reset(fd);
  return Status();
}

Status OpenRegular(const std::string& path, Code otherwise, UniqueFd* out, uint64_t* length) {
  const char no_file[] = "expected a regular file, found something else";
  UniqueFd fd(Open(path, O_NONBLOCK));
  // Sockets, and devices without a driver.
  if (!fd.valid() && errno == ENXIO) return Status(otherwise, no_file).At(path);
  if (!fd.valid()) return Status::FromErrno("cannot open", path, errno);
  struct stat info;
  if (fstat(fd.get(), &info) != 0) return Status::FromErrno("cannot stat", path, errno);
  if (!S_ISREG(info.st_mode)) return Status(otherwise, no_file).At(path);
  *length = static_cast<uint64_t>(info.st_size);
  *out = std::move(fd);
  return Status();
}

Status ReadUpTo(int fd, const std::string& path, uint64_t offset, void* to, size_t size, size_t* got) {
  size_t done = 0;
  while (done < size) {
    ssize_t n = pread(fd, static_cast<char*>(to) + done, size - done, static_cast<off_t>(offset + done));
    if (n == 0) break;
    if (n < 0) {
      if (errno == EINTR) continue;
      return Status::FromErrno("cannot read", path, errno).At(path, static_cast<int64_t>(offset + done));
    }
    done += static_cast<size_t>(n);
  }
  *got = done;
  return Status();
}

Status ReadExact(int fd, const std::string& path, uint64_t offset, void* to, size_t size) {
  size_t got = 0;
  SHOAL_RETURN_IF_ERROR(ReadUpTo(fd, path, offset, to, size, &got));
  if (got == size) return Status();
  return Status(Code::kTruncated, "expected " + std::to_string(size) + " bytes, found " + std::to_string(got) +
                                      " before the end of the file")
      .At(path, static_cast<int64_t>(offset));
}

void ForgetPages(int fd, uint64_t offset, uint64_t size) {
  // The kernel keeps pages that the range covers in part.
  const auto page = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  const uint64_t first = offset / page * page;
  const uint64_t last = (offset + size + page - 1) / page * page;
  posix_fadvise(fd, static_cast<off_t>(first), static_cast<off_t>(last - first), POSIX_FADV_DONTNEED);
}

Status WriteExact(int fd, const std::string& path, uint64_t offset, const void* from, size_t size) {
  size_t done = 0;
  while (done < size) {
    ssize_t n = pwrite(fd, static_cast<const char*>(from) + done, size - done, static_cast<off_t>(offset + done));
    if (n < 0) {
      if (errno == EINTR) continue;
      return Status::FromErrno("cannot write", path, errno).At(path, static_cast<int64_t>(offset + done));
    }
    done += static_cast<size_t>(n);
  }
  return Status();
}

}  // namespace shoal
