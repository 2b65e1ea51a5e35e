#include "unpack/frame_check.h"

#include <string>

#include "core/seek_table.h"

namespace shoal {
namespace {

Status CheckVolume(const Image& image, size_t volume) {
  const VolumeInfo& info = image.volume_info(volume);
  SeekTable table;
  const Status read = ReadSeekTable(image.volume_file(volume), &table);
  // Of a volume that was indexed with one it is damage.
  if (read.code() == Code::kUnsupported) return Status(Code::kMalformed, read.message());
  if (!read.ok()) return read;
  if (table.plain_length != info.plain_length || table.frame_length != info.frame_length) {
    return Status(Code::kMalformed, "expected a seek table of " + std::to_string(info.plain_length) +
                                        " bytes in frames of " + std::to_string(info.frame_length) + ", found one of " +
                                        std::to_string(table.plain_length) + " in frames of " +
                                        std::to_string(table.frame_length) + "; copy the volume anew");
  }
  for (uint64_t frame = 0; frame + 1 < table.offsets.size(); frame++) {
    FramePlace place;
    SHOAL_RETURN_IF_ERROR(image.index().Frame(info, frame, &place));
    const uint64_t size = table.offsets[frame + 1] - table.offsets[frame];
    if (place.offset == table.offsets[frame] && place.size == size) continue;
    return Status(Code::kMalformed, "expected frame " + std::to_string(frame) + " at " + std::to_string(place.offset) +
                                        " with " + std::to_string(place.size) +
                                        " bytes in the seek table, found it at " +
                                        std::to_string(table.offsets[frame]) + " with " + std::to_string(size) +
                                        "; copy the volume anew, or make the index anew from it");
  }
  return Status();
}

}  // namespace

std::vector<Problem> CheckFrames(const Image& image) {
  std::vector<Problem> problems;
  for (size_t volume = 0; volume < image.volume_count(); volume++) {
    if (image.volume_info(volume).codec != format::kCodecZstd) continue;
    const Status status = CheckVolume(image, volume);
    if (!status.ok()) problems.push_back({status.code(), image.volume_path(volume), status.message()});
  }
  return problems;
}

}  // namespace shoal
