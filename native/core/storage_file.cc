#include "core/storage_file.h"

#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>

namespace shoal {
namespace {

constexpr long kFirstPauseNanoseconds = 10 * 1000 * 1000;  // ×10 before each further try
constexpr long kLongestPauseNanoseconds = 100 * 1000 * 1000;

}  // namespace

Status StorageFile::Read(uint64_t offset, void* to, size_t size, int tries) const {
  long pause = kFirstPauseNanoseconds;
  for (size_t done = 0; done < size;) {
    const ssize_t n = pread(fd_.get(), static_cast<char*>(to) + done, size - done, static_cast<off_t>(offset + done));
    const int error = n < 0 ? errno : 0;
    if (n > 0) {
      bytes_read_.Add(static_cast<uint64_t>(n));
      done += static_cast<size_t>(n);
      continue;
    }
    if (error == EINTR) continue;
    // Network filesystems give these while a server restarts or fails over, and a length of before.
    const bool may_pass = n == 0 || error == EIO || error == ESTALE || error == ETIMEDOUT;
    if (!may_pass || --tries <= 0) {
      const auto at = static_cast<int64_t>(offset + done);
      if (n < 0) return Status::FromErrno("cannot read", path_, error).At(path_, at);
      return Status(Code::kTruncated, "expected " + std::to_string(size - done) +
                                          " bytes more as at opening, found the end of the file; copy it anew")
          .At(path_, at);
    }
    const timespec time = {0, pause};
    nanosleep(&time, nullptr);
    if (pause < kLongestPauseNanoseconds) pause *= 10;
    if (error == ESTALE) {
      // The descriptor keeps its number, so readers need no lock.
      UniqueFd fresh;
      if (OpenForRead(path_, &fresh).ok()) dup3(fresh.get(), fd_.get(), O_CLOEXEC);
    }
  }
  return Status();
}

void StorageFile::Forget(uint64_t offset, uint64_t size) const {
  // The kernel keeps pages that the range covers in part.
  const auto page = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  const uint64_t first = offset / page * page;
  const uint64_t last = (offset + size + page - 1) / page * page;
  posix_fadvise(fd_.get(), static_cast<off_t>(first), static_cast<off_t>(last - first), POSIX_FADV_DONTNEED);
}

}  // namespace shoal
