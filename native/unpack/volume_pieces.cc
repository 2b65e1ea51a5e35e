#include "unpack/volume_pieces.h"

#include <algorithm>
#include <atomic>
#include <mutex>

#include "core/crc32c.h"
#include "core/run_threads.h"

namespace shoal {

Status PieceChecksums(int fd, const std::string& path, uint64_t length, unsigned jobs, const Progress& progress,
                      std::vector<uint32_t>* out) {
  out->assign((length + format::kPieceLength - 1) / format::kPieceLength, 0);
  std::atomic<uint64_t> next{0};
  std::mutex mutex;
  Status first;  // failure
  Status run = RunThreads(ThreadCount(jobs), [&](unsigned) {
    std::vector<uint8_t> piece(format::kPieceLength);
    for (uint64_t row; (row = next.fetch_add(1)) < out->size();) {
      const uint64_t offset = row * format::kPieceLength;
      const size_t size = std::min<uint64_t>(format::kPieceLength, length - offset);
      Status status;
      if (progress.cancel.load(std::memory_order_relaxed) != 0) {
        status = Status(Code::kCancelled, "cancelled before it was done");
      } else {
        status = ReadExact(fd, path, offset, piece.data(), size);
      }
      if (!status.ok()) {
        std::lock_guard<std::mutex> lock(mutex);
        if (first.ok()) first = std::move(status);
        next = out->size();
        return;
      }
      (*out)[row] = Crc32c(piece.data(), size);
    }
  });
  return first.ok() ? run : first;
}

Status CheckPieces(const Image& image, unsigned jobs, const Progress& progress, VerifyOutcome* out) {
  const bool files_damaged = !out->problems.empty();
  uint64_t row = 0;
  for (size_t volume = 0; volume < image.volume_count(); volume++) {
    const VolumeInfo& info = image.volume_info(volume);
    if ((info.flags & format::kVolumeHasPieces) == 0) {
      out->unframed_volumes++;
      continue;
    }
    if (files_damaged) continue;
    std::vector<uint32_t> found;
    const std::string& path = image.volume_path(volume);
    SHOAL_RETURN_IF_ERROR(PieceChecksums(image.volume_fd(volume), path, info.length, jobs, progress, &found));
    for (size_t piece = 0; piece < found.size(); piece++, row++) {
      uint32_t expected = 0;
      SHOAL_RETURN_IF_ERROR(image.index().PieceChecksum(row, &expected));
      if (found[piece] == expected) continue;
      const uint64_t begin = piece * uint64_t{format::kPieceLength};
      const uint64_t end = std::min<uint64_t>(info.length, begin + format::kPieceLength);
      out->problems.push_back({Code::kChecksum, path,
                               "expected the bytes as packed, found others between files, from " +
                                   std::to_string(begin) + " to " + std::to_string(end) +
                                   ": reading the image is not concerned, but tar may fail on the volume; restore it"});
    }
  }
  return Status();
}

}  // namespace shoal
