#include "pack/archive_file.h"

#include <sys/stat.h>

#include <cerrno>

namespace shoal::tar {

Status ArchiveFile::Open(const std::string& path, std::shared_ptr<const ArchiveFile>* out) {
  std::shared_ptr<ArchiveFile> file(new ArchiveFile());
  file->path_ = path;
  struct stat info;
  if (stat(path.c_str(), &info) != 0) return Status::FromErrno("cannot open", path, errno);
  if (!S_ISREG(info.st_mode)) {  // before open, which would wait for the writer of a FIFO
    return Status(Code::kUnsupported, "expected a regular file: only an archive that stays where it is can be indexed")
        .At(path);
  }
  SHOAL_RETURN_IF_ERROR(OpenForRead(path, &file->fd_));
  if (fstat(file->fd_.get(), &info) != 0) return Status::FromErrno("cannot look at", path, errno);
  file->length_ = static_cast<uint64_t>(info.st_size);
  *out = std::move(file);
  return Status();
}

}  // namespace shoal::tar
