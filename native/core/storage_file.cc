#include "core/storage_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "core/read_retry.h"

namespace shoal {

Status StorageFile::Read(uint64_t offset, void* to, size_t size, unsigned retries) const {
  unsigned failures = 0;
  for (size_t done = 0; done < size;) {
    const ssize_t n = pread(fd_.get(), static_cast<char*>(to) + done, size - done, static_cast<off_t>(offset + done));
    const int error = n < 0 ? errno : 0;
    if (n > 0) {
      bytes_read_.Add(static_cast<uint64_t>(n));
      done += static_cast<size_t>(n);
      continue;
    }
    if (error == EINTR) continue;
    // An end that comes too early is a length of before, or the file was cut: more patience would not tell.
    const unsigned allowed = n == 0 ? std::min(retries, kLocalRetries) : retries;
    if (failures >= allowed || (n < 0 && !MayPass(error))) {
      const auto at = static_cast<int64_t>(offset + done);
      if (n < 0) return Status::FromErrno("cannot read", path_, error).At(path_, at);
      return Status(Code::kTruncated, "expected " + std::to_string(size - done) +
                                          " bytes more as at opening, found the end of the file; copy it anew")
          .At(path_, at);
    }
    PauseToRetry(failures++);
    if (error != EIO && error != ETIMEDOUT) {
      // The descriptor keeps its number, so readers need no lock.
      UniqueFd fresh;
      if (OpenForRead(path_, &fresh).ok()) dup3(fresh.get(), fd_.get(), O_CLOEXEC);
    }
  }
  return Status();
}

void StorageFile::Forget(uint64_t offset, uint64_t size) const { ForgetPages(fd_.get(), offset, size); }

}  // namespace shoal
