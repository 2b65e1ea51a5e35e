#include "core/image.h"

#include <algorithm>

#include "core/framed_volume.h"

namespace shoal {
namespace {

// Holds what the threads of a reader of everything are at, 2 MiB each, and what is read ahead for them; memory is taken
// as it is used.
constexpr uint64_t kOwnCacheBytes = 128 << 20;

}  // namespace

Status Image::Open(const std::string& index_path, ReadOptions options, std::unique_ptr<Image>* out) {
  std::unique_ptr<Image> image(new Image(std::move(options)));
  std::unique_ptr<IndexView> index;
  SHOAL_RETURN_IF_ERROR(IndexView::Open(index_path, &index, image->options_.storage));
  image->index_ = std::move(index);
  std::vector<VolumeInfo> infos;
  SHOAL_RETURN_IF_ERROR(image->index_->Volumes(&infos));
  for (const VolumeInfo& info : infos) SHOAL_RETURN_IF_ERROR(image->OpenVolume(info));
  *out = std::move(image);
  return Status();
}

Status Image::OpenVolume(const VolumeInfo& info) {
  Volume volume;
  SHOAL_RETURN_IF_ERROR(VolumeFile::Open(index_->path(), info, options_.storage, counters_, &volume.file));
  volume.plain = PlainBytes(volume.file);
  const bool compressed = info.codec == format::kCodecZstd;
  VolumeCache* cache = options_.cache.get();
  if (cache == nullptr && compressed) {
    if (own_cache_ == nullptr) own_cache_ = std::make_shared<VolumeCache>(kOwnCacheBytes);
    cache = own_cache_.get();
  }
  const bool wants_cache = compressed || volume.file->storage() == StorageKind::kNetwork;
  if (cache != nullptr && volume.plain != nullptr && wants_cache) {
    bool usable;
    SHOAL_RETURN_IF_ERROR(cache->Start(*volume.plain, &usable));
    if (usable) volume.cache = cache;
  }
  volumes_.push_back(std::move(volume));
  return Status();
}

std::shared_ptr<const BlockSource> Image::PlainBytes(const std::shared_ptr<const VolumeFile>& file) const {
  const VolumeInfo& info = file->info();
  if (info.codec == format::kCodecNone) return file;
  if (info.codec != format::kCodecZstd) return nullptr;
  const auto locate = [index = index_, file](uint64_t frame, FramePlace* out) {
    return index->Frame(file->info(), frame, out);
  };
  return std::make_shared<FramedVolume>(file, info.plain_length, static_cast<size_t>(info.frame_length), locate,
                                        counters_);
}

bool Image::IsOnNetwork() const {
  return std::any_of(volumes_.begin(), volumes_.end(),
                     [](const Volume& volume) { return volume.file->storage() == StorageKind::kNetwork; });
}

}  // namespace shoal
