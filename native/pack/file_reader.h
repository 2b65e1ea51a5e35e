// Opens files of a walked tree again and reads them, noticing every change since the walk.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <string>

#include "pack/pack_catalogue.h"

namespace shoal {

// One per thread.
class FileReader {
 public:
  FileReader(const PackCatalogue* catalogue, unsigned jobs);

  // Opens the file `entry`. Gone, or something else now: kChanged.
  Status Open(uint32_t entry, UniqueFd* fd);

  // Reads a range of the stored bytes of a file opened by Open: its data without its holes. A file that has become
  // shorter is kChanged.
  Status ReadStored(uint32_t entry, int fd, uint64_t offset, char* to, size_t size);

  // Whether the opened file (after it was read), or what is at the entry's path, is what the walk saw: else kChanged,
  // with what differs.
  Status Check(uint32_t entry, int fd);
  Status CheckPath(uint32_t entry);

 private:
  Status Compare(uint32_t entry, const struct stat& status) const;

  const PackCatalogue& catalogue_;
  DirectoryOpener opener_;
};

}  // namespace shoal
