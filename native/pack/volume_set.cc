#include "pack/volume_set.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "core/format.h"
#include "pack/file_sink.h"
#include "pack/frame_sink.h"
#include "pack/volume_frame.h"

namespace shoal {

VolumeSet::VolumeSet(PackCatalogue* catalogue, const std::vector<std::string>& paths, int level,
                     std::function<bool()> stopped, bool resume)
    : catalogue_(*catalogue), paths_(paths), level_(level), stopped_(std::move(stopped)), resume_(resume) {
  catalogue->sinks.clear();
  catalogue->sinks.resize(paths.size());
  for (const VolumePlan& volume : catalogue->plan.volumes) {
    volumes_.emplace_back();
    volumes_.back().steps_left = volume.step_count;
  }
}

bool VolumeSet::IsMade(size_t volume) const { return MadeLength(volume) > 0; }

uint64_t VolumeSet::MadeLength(size_t volume) const {
  struct stat there;
  if (!resume_ || lstat(paths_[volume].c_str(), &there) != 0 || !S_ISREG(there.st_mode)) return 0;
  const auto size = static_cast<uint64_t>(there.st_size);
  const uint64_t length = catalogue_.plan.volumes[volume].length;
  if (level_ == 0) return size == length ? length : 0;
  const auto frames = frames_.find(static_cast<uint16_t>(volume));
  if (frames == frames_.end() || size < frames->second.back()) return 0;
  const uint64_t made = (frames->second.size() - 1) * format::kFrameLength;
  // The last frame is made at the end of a run.
  return made < length ? made : 0;
}

Status VolumeSet::Write(size_t volume, uint64_t offset, const char* data, size_t size,
                        std::vector<PieceSums::Run>* runs) {
  VolumeSink* sink;
  {
    std::lock_guard<std::mutex> lock(volumes_[volume].mutex);
    if (catalogue_.sinks[volume] == nullptr) SHOAL_RETURN_IF_ERROR(Make(volume));
    sink = catalogue_.sinks[volume].get();
  }
  catalogue_.pieces[volume].Add(offset, data, size, runs);
  return ExplainNoSpace(sink->Write(offset, data, size), paths_[volume], catalogue_.plan);
}

Status VolumeSet::Make(size_t volume) {
  const Plan& plan = catalogue_.plan;
  const uint64_t length = plan.volumes[volume].length;
  std::unique_ptr<VolumeSink> sink;
  const bool is_made = IsMade(volume);
  if (resume_ && !is_made && unlink(paths_[volume].c_str()) != 0 && errno != ENOENT) {
    return Status::FromErrno("cannot remove", paths_[volume], errno);
  }
  if (is_made && level_ > 0) {
    std::vector<uint64_t> offsets = frames_.at(static_cast<uint16_t>(volume));
    SHOAL_RETURN_IF_ERROR(FrameSink::Resume(paths_[volume], length, level_, stopped_, std::move(offsets), &sink));
  } else if (is_made) {
    sink = FileSink::Open(paths_[volume]);
  } else if (level_ > 0) {
    SHOAL_RETURN_IF_ERROR(FrameSink::Create(paths_[volume], length, level_, stopped_, &sink));
  } else {
    SHOAL_RETURN_IF_ERROR(FileSink::Create(paths_[volume], length, &sink));
  }
  const std::string head = VolumeHead(volume, plan.volumes.size());
  SHOAL_RETURN_IF_ERROR(ExplainNoSpace(sink->Write(0, head.data(), head.size()), paths_[volume], plan));
  catalogue_.sinks[volume] = std::move(sink);
  return Status();
}

Status ExplainNoSpace(Status status, const std::string& path, const Plan& plan) {
  if (status.error() != ENOSPC && status.error() != EDQUOT) return status;
  const bool several = plan.volumes.size() > 1;
  return Status(Code::kIo, std::string(status.error() == ENOSPC ? "no space left" : "quota exceeded") +
                               (several ? ": the volumes need " : ": the volume needs ") +
                               std::to_string(plan.volumes_length()) + " bytes; free space, or write " +
                               (several ? "them" : "it") + " elsewhere")
      .At(path);
}

}  // namespace shoal
