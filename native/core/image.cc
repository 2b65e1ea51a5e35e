#include "core/image.h"

#include <algorithm>

namespace shoal {

Status Image::Open(const std::string& index_path, ReadOptions options, std::unique_ptr<Image>* out) {
  std::unique_ptr<Image> image(new Image(std::move(options)));
  SHOAL_RETURN_IF_ERROR(IndexView::Open(index_path, &image->index_, image->options_.storage));
  std::vector<VolumeInfo> infos;
  SHOAL_RETURN_IF_ERROR(image->index_->Volumes(&infos));
  for (const VolumeInfo& info : infos) SHOAL_RETURN_IF_ERROR(image->OpenVolume(info));
  *out = std::move(image);
  return Status();
}

Status Image::OpenVolume(const VolumeInfo& info) {
  Volume volume;
  SHOAL_RETURN_IF_ERROR(VolumeFile::Open(index_->path(), info, options_.storage, counters_, &volume.file));
  if (options_.cache != nullptr && volume.file->storage() == StorageKind::kNetwork) {
    bool usable;
    SHOAL_RETURN_IF_ERROR(options_.cache->Start(&usable));
    if (usable) volume.cache = options_.cache.get();
  }
  volumes_.push_back(std::move(volume));
  return Status();
}

bool Image::IsOnNetwork() const {
  return std::any_of(volumes_.begin(), volumes_.end(),
                     [](const Volume& volume) { return volume.file->storage() == StorageKind::kNetwork; });
}

}  // namespace shoal
