#include "unpack/extract_target.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <utility>

#include "unpack/problem_list.h"

namespace shoal {
namespace {

// By each of two openers of each thread; a process may have 1 024 descriptors.
constexpr size_t kHeldDirectories = 8;

}  // namespace

ExtractTarget::ExtractTarget(const IndexView& index, int root, std::string path, unsigned workers)
    : index_(index), path_(std::move(path)), directories_(index, root) {
  for (unsigned worker = 0; worker < workers; worker++) {
    openers_.emplace_back(&directories_, kHeldDirectories);
  }
}

Status ExtractTarget::OpenParent(unsigned worker, uint32_t place, int* directory, std::string* name) {
  uint32_t parent;
  SHOAL_RETURN_IF_ERROR(directories_.ParentOf(place, &parent, name));
  if (HasFailed(parent)) return Status(Code::kPartial, "its directory was not made");
  return openers_[worker].Open(parent, directory);
}

Status ExtractTarget::RemoveOld(int directory, const std::string& name) {
  struct stat old;
  if (fstatat(directory, name.c_str(), &old, AT_SYMLINK_NOFOLLOW) != 0) {
    return errno == ENOENT ? Status() : Status::FromErrno("cannot stat what is there", "", errno);
  }
  if (!S_ISREG(old.st_mode) && !S_ISLNK(old.st_mode)) {
    return Status(Code::kExists, std::string("expected nothing, a file or a symbolic link in its place, found ") +
                                     (S_ISDIR(old.st_mode) ? "a directory" : "a device, FIFO or socket") +
                                     "; remove it");
  }
  if (unlinkat(directory, name.c_str(), 0) == 0 || errno == ENOENT) return Status();
  return Status::FromErrno("cannot remove what is there", "", errno);
}

Status ExtractTarget::AtPlace(uint32_t place, Status status) const {
  return std::move(status).At(path_ + "/" + ShownEntry(index_, place));
}

void ExtractTarget::SetFailed(uint32_t place) {
  std::lock_guard<std::mutex> lock(mutex_);
  failed_.insert(place);
}

bool ExtractTarget::HasFailed(uint32_t place) const {
  std::lock_guard<std::mutex> lock(mutex_);
  return failed_.count(place) != 0;
}

}  // namespace shoal
