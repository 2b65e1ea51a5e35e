#include "fuse/served_mount.h"

#include <sys/stat.h>

#include "fuse/mount.h"

namespace shoal::fuse {

Status ServedMount::Start(const std::string& index_path, const std::string& directory, ServeOptions options,
                          std::function<void()> ended, std::unique_ptr<ServedMount>* out) {
  std::unique_ptr<ServedMount> served(new ServedMount());
  served->directory_ = directory;
  SHOAL_RETURN_IF_ERROR(Image::Open(index_path, &served->image_));
  served->operations_ = std::make_unique<Operations>(*served->image_, options.presentation, std::move(options.log));

  UniqueFd device;
  SHOAL_RETURN_IF_ERROR(Mount(index_path, directory, options.allow_other, &device));
  Status status = Session::Start(std::move(device), *served->operations_, std::move(ended), &served->session_);
  if (!status.ok()) {
    // The first failure is what matters; a mount that cannot be taken away is repaired by the next one.
    const Status ignored = fuse::Unmount(directory, true);
    (void)ignored;
    return status;
  }
  struct stat root;
  if (stat(directory.c_str(), &root) == 0) served->device_ = root.st_dev;
  *out = std::move(served);
  return Status();
}

Status ServedMount::Unmount() {
  struct stat root;
  const bool known = device_ != 0;  // 0: the kernel did not let this process look
  if (known && (stat(directory_.c_str(), &root) != 0 || root.st_dev != device_)) return Status();
  Status status = fuse::Unmount(directory_, false);
  if (status.code() == Code::kBusy) status = fuse::Unmount(directory_, true);
  return status.code() == Code::kMissing ? Status() : status;
}

}  // namespace shoal::fuse
