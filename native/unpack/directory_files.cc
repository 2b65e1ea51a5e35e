#include "unpack/directory_files.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <string>

namespace shoal {

DirectoryFiles::DirectoryFiles(const IndexView& index, const MetadataCompare& metadata, int root, unsigned jobs,
                               ProblemList* differences)
    : metadata_(metadata), directories_(index, root), differences_(*differences) {
  for (unsigned worker = 0; worker < jobs; worker++) openers_.emplace_back(&directories_);
}

Status DirectoryFiles::Open(unsigned worker, uint32_t name, const ContentFile& file, UniqueFd* fd) {
  uint32_t parent;
  std::string bytes;
  SHOAL_RETURN_IF_ERROR(directories_.ParentOf(name, &parent, &bytes));
  int directory;
  SHOAL_RETURN_IF_ERROR(openers_[worker].Open(parent, &directory));
  // Should a FIFO have taken the place since, it is not waited for.
  const int opened = openat(directory, bytes.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  if (opened < 0) return Status::FromErrno("cannot open the directory's file", "", errno);
  fd->reset(opened);
  struct stat found;
  if (fstat(opened, &found) != 0) return Status::FromErrno("cannot stat the directory's file", "", errno);
  if (S_ISREG(found.st_mode) && static_cast<uint64_t>(found.st_size) == file.entry.size) return Status();
  return Status(Code::kChanged, "the directory's file changed while it was compared; compare again");
}

void DirectoryFiles::Compared(uint32_t name, int, const Status& outcome) {
  if (!outcome.ok()) differences_.Add(name, outcome);
}

}  // namespace shoal
