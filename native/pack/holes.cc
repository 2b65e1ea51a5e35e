#include "pack/holes.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace shoal {
namespace {

// Where the next data (or hole) at or after `from` begins; `size` where there is none, or where the file has shrunk
// since.
Status Seek(int fd, uint64_t from, int whence, uint64_t size, uint64_t* found) {
  off_t at = lseek(fd, static_cast<off_t>(from), whence);
  if (at < 0 && errno != ENXIO) return Status::FromErrno("cannot look for holes", "", errno);
  *found = at < 0 ? size : std::min(size, static_cast<uint64_t>(at));
  return Status();
}

}  // namespace

Status FindData(int fd, uint64_t size, std::vector<Extent>* data, bool* holed) {
  data->clear();
  *holed = false;
  uint64_t joined = 0;  // end of the data so far; what lies before 0 is no hole
  for (uint64_t at = 0; at < size;) {
    uint64_t begin = size, end = size;
    Status status = Seek(fd, at, SEEK_DATA, size, &begin);
    if (status.error() == EINVAL)
      begin = at;  // a filesystem without holes
    else
      SHOAL_RETURN_IF_ERROR(status);
    if (begin < size && status.ok()) SHOAL_RETURN_IF_ERROR(Seek(fd, begin, SEEK_HOLE, size, &end));
    if (begin - joined >= kMinHole) {
      *holed = true;
      if (begin < size) data->push_back(Extent{begin, end - begin, 0, 0});
    } else if (data->empty()) {
      data->push_back(Extent{0, end, 0, 0});
    } else {
      data->back().length = end - data->back().file_offset;
    }
    joined = at = end;
  }
  return Status();
}

}  // namespace shoal
