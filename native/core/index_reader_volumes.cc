// IndexReader's answers about volumes: FORMAT §4.11 and §4.14.
#include <algorithm>
#include <cstring>

#include "core/bytes.h"
#include "core/index_reader.h"

namespace shoal {
namespace {

using format::Section;

constexpr uint32_t kMaxVolumeName = 4095;
constexpr uint64_t kFrameRow = sizeof(uint64_t);

std::string_view View(const uint8_t* data, uint64_t size) { return {reinterpret_cast<const char*>(data), size}; }

bool IsFrameLength(uint64_t length) {
  const bool is_power_of_two = (length & (length - 1)) == 0;
  return is_power_of_two && length >= format::kMinFrameLength && length <= format::kMaxFrameLength;
}

}  // namespace

Status IndexReader::Volumes(std::vector<VolumeInfo>* out) const {
  out->clear();
  const uint64_t count = map_->section(Section::kVolumes).count;
  for (uint64_t i = 0; i < count; i++) {
    const uint64_t at = i * format::kVolumeRowLength;
    const uint8_t* row = map_->At(Section::kVolumes, at, format::kVolumeRowLength);
    if (row == nullptr) return map_->Failure(Section::kVolumes, at, format::kVolumeRowLength);
    VolumeInfo info;
    info.length = Load<uint64_t>(row);
    info.codec = Load<uint32_t>(row + 8);
    info.flags = Load<uint32_t>(row + 12);
    info.head_checksum = Load<uint32_t>(row + 16);
    info.tail_checksum = Load<uint32_t>(row + 20);
    const auto name_offset = Load<uint32_t>(row + 24);
    const auto name_length = Load<uint32_t>(row + 28);
    if (info.length > format::kMaxNumber) {
      return map_->Malformed(Section::kVolumes, at,
                             "expected a length below 2^53, found " + std::to_string(info.length));
    }
    if (name_length == 0 || name_length > kMaxVolumeName) {
      return map_->Malformed(Section::kVolumes, at + 28,
                             "expected a name of 1 to 4095 bytes, found " + std::to_string(name_length));
    }
    const uint8_t* name = map_->At(Section::kVolumes, name_offset, name_length);
    if (name == nullptr) return map_->Failure(Section::kVolumes, name_offset, name_length);
    if (std::memchr(name, 0, name_length) != nullptr) {
      return map_->Malformed(Section::kVolumes, name_offset, "expected a volume's name without NUL, found one");
    }
    info.name = std::string(View(name, name_length));
    SHOAL_RETURN_IF_ERROR(PlainLength(static_cast<uint32_t>(i), &info.plain_length));
    if (!frame_tables_.empty()) {
      info.frame_length = frame_tables_[i].frame_length;
      info.first_frame = frame_tables_[i].first_frame;
    }
    out->push_back(std::move(info));
  }
  return Status();
}

// How many plain bytes a volume has, within which its extents lie.
Status IndexReader::PlainLength(uint32_t volume, uint64_t* out) const {
  const uint64_t at = uint64_t{volume} * format::kVolumeRowLength;
  const uint8_t* row = map_->At(Section::kVolumes, at, format::kVolumeRowLength);
  if (row == nullptr) return map_->Failure(Section::kVolumes, at, format::kVolumeRowLength);
  *out = Load<uint64_t>(row);
  if (Load<uint32_t>(row + 8) != format::kCodecZstd) return Status();
  if (frame_tables_.empty()) {
    return map_->Malformed(Section::kVolumes, at + 8, "expected the frames of a compressed volume, found none");
  }
  *out = frame_tables_[volume].plain_length;
  return Status();
}

Status IndexReader::ReadFrameTables() {
  frame_tables_.clear();
  const uint64_t rows = map_->section(Section::kFrames).count;
  if (rows == 0) return Status();
  std::vector<FrameTable> tables(map_->section(Section::kVolumes).count);
  uint64_t next = 0;
  for (uint64_t i = 0; i < tables.size(); i++) {
    const uint64_t volume_at = i * format::kVolumeRowLength;
    const uint8_t* volume = map_->At(Section::kVolumes, volume_at, format::kVolumeRowLength);
    if (volume == nullptr) return map_->Failure(Section::kVolumes, volume_at, format::kVolumeRowLength);
    if (Load<uint32_t>(volume + 8) != format::kCodecZstd) continue;

    const uint64_t at = next * kFrameRow;
    const uint8_t* row = map_->At(Section::kFrames, at, 2 * kFrameRow);
    if (row == nullptr) return map_->Failure(Section::kFrames, at, 2 * kFrameRow);
    FrameTable& table = tables[i];
    table.plain_length = Load<uint64_t>(row);
    table.frame_length = Load<uint64_t>(row + kFrameRow);
    table.first_frame = next + 2;
    if (table.plain_length > format::kMaxNumber) {
      return map_->Malformed(Section::kFrames, at,
                             "expected a length below 2^53, found " + std::to_string(table.plain_length));
    }
    if (!IsFrameLength(table.frame_length)) {
      return map_->Malformed(
          Section::kFrames, at + kFrameRow,
          "expected frames of a power of two from 16384 to 8388608 bytes, found " + std::to_string(table.frame_length));
    }
    const uint64_t ends = (table.plain_length + table.frame_length - 1) / table.frame_length + 1;
    if (ends > rows - table.first_frame) {
      return map_->Malformed(Section::kFrames, at,
                             "expected " + std::to_string(ends) + " places of frames of volume " + std::to_string(i) +
                                 ", found room for " + std::to_string(rows - table.first_frame));
    }
    next = table.first_frame + ends;
  }
  if (next != rows) {
    return map_->Malformed(Section::kFrames, next * kFrameRow,
                           "expected the frames of all compressed volumes and nothing else, found " +
                               std::to_string(rows - next) + " numbers more");
  }
  frame_tables_ = std::move(tables);
  return Status();
}

Status IndexReader::Frame(const VolumeInfo& volume, uint64_t frame, FramePlace* out) const {
  const uint64_t at = (volume.first_frame + frame) * kFrameRow;
  const uint8_t* row = map_->At(Section::kFrames, at, 2 * kFrameRow);
  if (row == nullptr) return map_->Failure(Section::kFrames, at, 2 * kFrameRow);
  const auto begin = Load<uint64_t>(row);
  const auto end = Load<uint64_t>(row + kFrameRow);
  if (begin >= end || end > volume.length || end - begin > volume.frame_length + format::kMaxFrameGrowth) {
    return map_->Malformed(Section::kFrames, at,
                           "expected a frame of 1 to " + std::to_string(volume.frame_length + format::kMaxFrameGrowth) +
                               " bytes within the " + std::to_string(volume.length) + " of its volume, found it from " +
                               std::to_string(begin) + " to " + std::to_string(end));
  }
  out->offset = begin;
  out->size = static_cast<size_t>(end - begin);
  return Status();
}

}  // namespace shoal
