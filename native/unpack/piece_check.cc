#include "unpack/piece_check.h"

#include <algorithm>
#include <string>

#include "core/crc32c.h"
#include "core/format.h"

namespace shoal {

PieceCheck::PieceCheck(const Image& image) : image_(image) {
  for (size_t volume = 0; volume < image.volume_count(); volume++) unframed_volumes_ += HasPieces(volume) ? 0 : 1;
}

bool PieceCheck::HasPieces(size_t volume) const {
  return (image_.volume_info(volume).flags & format::kVolumeHasPieces) != 0;
}

bool PieceCheck::Take(size_t volume, uint64_t end, Piece* out) {
  while (next_.volume < image_.volume_count() && next_.volume <= volume) {
    const uint64_t length = image_.volume_info(next_.volume).plain_length;
    if (!HasPieces(next_.volume) || next_.offset >= length) {
      next_.volume++;
      next_.offset = 0;
      continue;
    }
    *out = next_;
    out->size = static_cast<size_t>(std::min<uint64_t>(format::kPieceLength, length - next_.offset));
    if (next_.volume == volume && next_.offset + out->size > end) return false;
    next_.row++;
    next_.offset += out->size;
    return true;
  }
  return false;
}

void PieceCheck::Check(const Piece& piece, uint8_t* buffer) {
  Status status = ReadAndCompare(piece, buffer);
  if (status.ok()) return;
  Problem problem{status.code(), image_.volume_path(piece.volume), status.message()};
  std::lock_guard<std::mutex> lock(mutex_);
  found_.push_back({piece.row, std::move(problem)});
}

Status PieceCheck::ReadAndCompare(const Piece& piece, uint8_t* buffer) const {
  uint32_t expected = 0;
  SHOAL_RETURN_IF_ERROR(image_.index().PieceChecksum(piece.row, &expected));
  SHOAL_RETURN_IF_ERROR(image_.ReadVolume(piece.volume, piece.offset, buffer, piece.size));
  if (Crc32c(buffer, piece.size) == expected) return Status();
  return Status(Code::kChecksum,
                "expected the bytes as packed, found others between files, from " + std::to_string(piece.offset) +
                    " to " + std::to_string(piece.offset + piece.size) +
                    ": reading the image is not concerned, but tar may fail on the volume; restore it");
}

std::vector<Problem> PieceCheck::TakeProblems() {
  std::sort(found_.begin(), found_.end(), [](const Found& a, const Found& b) { return a.row < b.row; });
  std::vector<Problem> problems;
  for (Found& found : found_) problems.push_back(std::move(found.problem));
  return problems;
}

}  // namespace shoal
