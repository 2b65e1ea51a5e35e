#include "core/image.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

#include "core/crc32c.h"

namespace shoal {
namespace {

// FORMAT §4.11: a name without a slash is a file beside the index.
std::string VolumePath(const std::string& index_path, const std::string& name) {
  const size_t slash = index_path.rfind('/');
  if (name[0] == '/' || slash == std::string::npos) return name;
  return index_path.substr(0, slash + 1) + name;
}

Status CheckProbe(int fd, const std::string& path, uint64_t offset, uint64_t length, uint32_t expected) {
  uint8_t bytes[format::kVolumeProbeLength];
  SHOAL_RETURN_IF_ERROR(ReadExact(fd, path, offset, bytes, length));
  const uint32_t found = Crc32c(bytes, length);
  if (found == expected) return Status();
  return Status(Code::kWrongVolume, "expected the volume that the index describes (CRC32C " + std::to_string(expected) +
                                        " of " + std::to_string(length) + " bytes), found another file (" +
                                        std::to_string(found) +
                                        "); put the volume there that was made together with the index")
      .At(path, static_cast<int64_t>(offset));
}

}  // namespace

Status Image::Open(const std::string& index_path, std::unique_ptr<Image>* out, std::optional<StorageKind> storage) {
  std::unique_ptr<Image> image(new Image());
  SHOAL_RETURN_IF_ERROR(IndexView::Open(index_path, &image->index_, storage));
  std::vector<VolumeInfo> infos;
  SHOAL_RETURN_IF_ERROR(image->index_->Volumes(&infos));
  for (VolumeInfo& info : infos) {
    Volume volume;
    volume.path = VolumePath(index_path, info.name);
    SHOAL_RETURN_IF_ERROR(OpenVolume(index_path, info, volume.path, &volume.fd));
    volume.info = std::move(info);
    image->volumes_.push_back(std::move(volume));
  }
  *out = std::move(image);
  return Status();
}

// Opens a volume and checks that it is the one that the index was made for (FORMAT §4.11).
Status Image::OpenVolume(const std::string& index_path, const VolumeInfo& info, const std::string& path,
                         UniqueFd* out) {
  UniqueFd fd;
  uint64_t length = 0;
  Status opened = OpenRegular(path, Code::kWrongVolume, &fd, &length);
  if (opened.code() == Code::kMissing) {
    return Status(Code::kMissing, "expected the volume of " + index_path +
                                      " here, found nothing; an index and its volumes lie together: copy or move both")
        .At(path);
  }
  if (!opened.ok()) return opened;
  if (length != info.length) {
    const bool shorter = length < info.length;
    return Status(shorter ? Code::kTruncated : Code::kWrongVolume,
                  "expected a volume of " + std::to_string(info.length) + " bytes, found " + std::to_string(length) +
                      (shorter ? "; copy it anew" : "; put the volume there that was made together with the index"))
        .At(path, static_cast<int64_t>(std::min(length, info.length)));
  }
  const uint64_t probe = std::min<uint64_t>(length, format::kVolumeProbeLength);
  SHOAL_RETURN_IF_ERROR(CheckProbe(fd.get(), path, 0, probe, info.head_checksum));
  SHOAL_RETURN_IF_ERROR(CheckProbe(fd.get(), path, length - probe, probe, info.tail_checksum));
  *out = std::move(fd);
  return Status();
}

// A stale handle stays stale; the same file opened again is not. The descriptor keeps its number, so readers need no
// lock.
void Image::Reopen(uint32_t row) const {
  const Volume& volume = volumes_[row];
  UniqueFd fresh;
  if (!OpenVolume(index_->path(), volume.info, volume.path, &fresh).ok()) return;
  dup3(fresh.get(), volume.fd.get(), O_CLOEXEC);  // fails only where the descriptor is not open
}

}  // namespace shoal
