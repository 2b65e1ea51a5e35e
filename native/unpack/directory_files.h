// The files of a directory, to be compared with those of an image.
#pragma once

#include <vector>

#include "core/directory_opener.h"
#include "unpack/compared_files.h"
#include "unpack/index_directories.h"
#include "unpack/metadata_compare.h"
#include "unpack/problem_list.h"

namespace shoal {

// The numbers of its names are those of the image's entries at the same paths.
class DirectoryFiles : public ComparedFiles {
 public:
  // `metadata` has run; it says which files are compared. `root` is the open directory.
  DirectoryFiles(const IndexView& index, const MetadataCompare& metadata, int root, unsigned jobs,
                 ProblemList* differences);

  std::vector<uint32_t> Names(uint32_t entry) const override { return metadata_.ContentNames(entry); }
  Status Open(unsigned worker, uint32_t name, const ContentFile& file, UniqueFd* fd) override;
  void Compared(uint32_t name, int fd, const Status& outcome) override;

 private:
  const MetadataCompare& metadata_;
  const IndexDirectories directories_;
  std::vector<DirectoryOpener> openers_;  // by worker
  ProblemList& differences_;
};

}  // namespace shoal
