// Opens files of a walked tree again and reads them, noticing every change since the walk.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <string>

#include "core/storage.h"
#include "pack/pack_catalogue.h"

namespace shoal {

// Whether `status` is that of the entry as the walk saw it: else kChanged, with what differs.
Status CompareWithWalk(const PackCatalogue& catalogue, uint32_t entry, const struct stat& status);

// One per thread.
class FileReader {
 public:
  // Holds at most `directories` open.
  FileReader(const PackCatalogue* catalogue, size_t directories);

  // Where `entry` stands: *directory is a descriptor of this object's, valid until the next call; AT_FDCWD for a
  // source, whose *name is an absolute path. Replaced since the walk: kChanged.
  Status Locate(uint32_t entry, int* directory, std::string* name);

  // Opens the file `entry`. Gone, or something else now: kChanged.
  Status Open(uint32_t entry, UniqueFd* fd);

  // Reads a range of the stored bytes of a file opened by Open: its data without its holes. A file that has become
  // shorter is kChanged.
  Status ReadStored(uint32_t entry, int fd, uint64_t offset, char* to, size_t size);

  // Whether the opened file (after it was read), or what stands where `entry` stood, is what the walk saw: else
  // kChanged, with what differs.
  Status Check(uint32_t entry, int fd);
  Status CheckPath(uint32_t entry);

 private:
  void AwaitWriters(int fd);
  StorageKind KindOf(int fd, dev_t device);

  const PackCatalogue& catalogue_;
  const uid_t user_;
  bool has_kind_ = false;  // of device_, which was asked about last
  dev_t device_ = 0;
  StorageKind kind_ = StorageKind::kLocal;
  DirectoryOpener opener_;
};

}  // namespace shoal
