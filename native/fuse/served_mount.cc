#include "fuse/served_mount.h"

#include <sys/stat.h>

#include <algorithm>

#include "fuse/readahead.h"

namespace shoal::fuse {
namespace {

// Each thread waits for storage with the request that it answers, and on a network that may be long: this many reads of
// random blocks are under way at once. Threads that are not needed sleep.
constexpr unsigned kNetworkThreads = 32;

// What mountinfo and df show. All paths would not fit: the kernel takes 4 095 bytes.
std::string SourceName(const std::vector<std::string>& index_paths) {
  if (index_paths.size() == 1) return index_paths[0];
  return index_paths[0] + " and " + std::to_string(index_paths.size() - 1) + " more";
}

}  // namespace

Status ServedMount::Start(const std::vector<std::string>& index_paths, Attachment attachment, ServeOptions options,
                          std::function<void()> ended, std::unique_ptr<ServedMount>* out) {
  std::unique_ptr<ServedMount> served(new ServedMount());
  const std::string directory = served->directory_ = std::move(attachment.directory);
  options.reading.cache = std::make_shared<VolumeCache>(options.cache_bytes);
  SHOAL_RETURN_IF_ERROR(Tree::Open(index_paths, options.subdir, options.reading, &served->tree_));
  const Layers& layers = served->tree_->layers();
  const auto is_on_network = [](const std::unique_ptr<Image>& image) { return image->IsOnNetwork(); };
  if (options.tuning.threads == 0 && std::any_of(layers.begin(), layers.end(), is_on_network)) {
    options.tuning.threads = kNetworkThreads;
  }
  served->operations_ = std::make_unique<Operations>(*served->tree_, options.presentation, options.tuning.lifetimes,
                                                     std::move(options.log));

  UniqueFd device = std::move(attachment.device);
  if (device.valid()) {
    SHOAL_RETURN_IF_ERROR(AdoptDevice(device.get()));
  } else {
    SHOAL_RETURN_IF_ERROR(Mount(SourceName(index_paths), directory, options.flags, &device));
  }
  Status status =
      Session::Start(std::move(device), *served->operations_, options.tuning, std::move(ended), &served->session_);
  if (!status.ok() && directory.empty()) return status;
  if (!status.ok()) {
    // The first failure is what matters; a mount that cannot be taken away is repaired by the next one.
    const Status ignored = fuse::Unmount(directory, true);
    (void)ignored;
    return status;
  }
  struct stat root;
  if (!directory.empty() && stat(directory.c_str(), &root) == 0) {
    served->device_ = root.st_dev;
    RaiseReadahead(root.st_dev, options.tuning.readahead);
  }
  *out = std::move(served);
  return Status();
}

Status ServedMount::Unmount(WhenBusy when_busy) {
  if (directory_.empty()) return Status();
  struct stat root;
  const bool known = device_ != 0;  // 0: the kernel did not let this process look
  if (known && (stat(directory_.c_str(), &root) != 0 || root.st_dev != device_)) return Status();
  Status status = fuse::Unmount(directory_, false);
  if (status.code() == Code::kBusy && when_busy == WhenBusy::kLazily) status = fuse::Unmount(directory_, true);
  return status.code() == Code::kMissing ? Status() : status;
}

Statistics ServedMount::GetStatistics() const {
  Statistics statistics;
  session_->Tell(&statistics);
  for (const auto& image : tree_->layers()) statistics.Add(*image);
  statistics.index_faults = IndexView::faults();
  return statistics;
}

}  // namespace shoal::fuse
