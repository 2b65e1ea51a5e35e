#include "pack/piece_sums.h"

#include <algorithm>
#include <string>

#include "core/crc32c.h"
#include "core/format.h"

namespace shoal {

void PieceSums::Add(uint64_t offset, const char* data, size_t size, std::vector<Run>* runs) {
  while (size > 0) {
    const uint64_t left = format::kPieceLength - offset % format::kPieceLength;
    const auto part = static_cast<uint32_t>(std::min<uint64_t>(size, left));
    const Run run{offset, part, Crc32c(data, part)};
    {
      std::lock_guard<std::mutex> lock(mutex_);
      runs_.push_back(run);
    }
    if (runs != nullptr) runs->push_back(run);
    offset += part;
    data += part;
    size -= part;
  }
}

void PieceSums::Add(const std::vector<Run>& runs) {
  std::lock_guard<std::mutex> lock(mutex_);
  runs_.insert(runs_.end(), runs.begin(), runs.end());
}

Status PieceSums::Rows(uint64_t length, std::vector<uint32_t>* out) {
  std::sort(runs_.begin(), runs_.end(), [](const Run& a, const Run& b) { return a.offset < b.offset; });
  out->clear();
  uint64_t at = 0;
  for (size_t i = 0; i < runs_.size() && at < length; i++) {
    const Run& run = runs_[i];
    if (run.offset != at || run.size > length - at) break;
    if (at % format::kPieceLength == 0) {
      out->push_back(run.checksum);
    } else {
      out->back() = Crc32cJoin(out->back(), run.checksum, run.size);
    }
    at += run.size;
  }
  if (at == length) return Status();
  return Status(Code::kInternal, "the volume was not written from its beginning to byte " + std::to_string(length) +
                                     " exactly once: something is amiss at byte " + std::to_string(at));
}

}  // namespace shoal
