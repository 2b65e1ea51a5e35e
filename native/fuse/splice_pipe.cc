#include "fuse/splice_pipe.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "fuse/protocol.h"

namespace shoal::fuse {

bool SplicePipe::Open(size_t size) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return false;
  reading_.reset(ends[0]);
  writing_.reset(ends[1]);
  const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  // A page for the header, and data that begins and ends within pages.
  if (fcntl(writing_.get(), F_SETPIPE_SZ, static_cast<int>(size + 2 * page)) < 0) {
    fcntl(writing_.get(), F_SETPIPE_SZ, 1 << 20);  // what users may have by default
  }
  const int length = fcntl(writing_.get(), F_GETPIPE_SZ);
  if (length < static_cast<int>(4 * page)) return false;
  capacity_ = static_cast<size_t>(length) - 2 * page;
  return true;
}

bool SplicePipe::Send(int device, uint64_t unique, int file, uint64_t offset, size_t size) {
  const OutHeader out{static_cast<uint32_t>(sizeof(OutHeader) + size), 0, unique};
  if (write(writing_.get(), &out, sizeof out) != static_cast<ssize_t>(sizeof out)) return false;
  auto from = static_cast<off64_t>(offset);
  for (size_t left = size; left > 0;) {
    const ssize_t moved = splice(file, &from, writing_.get(), nullptr, left, 0);
    if (moved <= 0) {
      Empty();
      return false;
    }
    left -= static_cast<size_t>(moved);
  }
  // Not SPLICE_F_MOVE, which may take pages away from the volume in the page cache, where others look for them.
  const ssize_t sent = splice(reading_.get(), nullptr, device, nullptr, out.len, 0);
  if (sent == static_cast<ssize_t>(out.len)) return true;
  Empty();
  return sent < 0 && errno == ENOENT;  // nobody waits any more
}

void SplicePipe::Empty() {
  char bytes[4096];
  while (read(reading_.get(), bytes, sizeof bytes) > 0) {
  }
}

}  // namespace shoal::fuse
