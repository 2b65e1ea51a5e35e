#include "pack/tail_length.h"

#include <string>

#include "pack/tar_header.h"
#include "pack/volume_frame.h"

namespace shoal {

void TailLength::AddChecksums(uint64_t count) {
  const uint64_t full_before = checksums_ / kValuesPerHeader;
  checksums_ += count;
  for (uint64_t full = full_before; full < checksums_ / kValuesPerHeader; full++) {
    full_length_ += TailHeaderLength(TailValues::kChecksums, full * kValuesPerHeader, kValuesPerHeader);
  }
}

void TailLength::AddLink(uint32_t entry, uint32_t nlink) {
  links_++;
  links_text_ += 2 + std::to_string(entry).size() + std::to_string(nlink).size();
}

uint64_t TailLength::checksums_length() const {
  const uint64_t open = checksums_ % kValuesPerHeader;
  return full_length_ + (open == 0 ? 0 : TailHeaderLength(TailValues::kChecksums, checksums_ - open, open));
}

uint64_t TailLength::links_bound() const {
  constexpr uint64_t kBesideText = 3 * kTarBlock;  // a header's block, the record's key and length, padding
  return links_ == 0 ? 0 : links_text_ + (links_ / kPairsPerHeader + 1) * kBesideText;
}

}  // namespace shoal
