#include "pack/member_lengths.h"

#include <algorithm>
#include <atomic>
#include <string>

#include "core/run_threads.h"
#include "pack/tar_header.h"

namespace shoal {
namespace {

constexpr size_t kRangeLength = 16384;  // entries measured by one thread at once

}  // namespace

Status MemberLengths::Measure(unsigned jobs) {
  blocks_.assign(catalogue_.size(), 0);
  const size_t ranges = (catalogue_.size() + kRangeLength - 1) / kRangeLength;
  std::atomic<size_t> next{0};
  return RunThreads(static_cast<unsigned>(std::min<size_t>(std::max(1U, jobs), ranges)), [&](unsigned) {
    MemberBuilder builder(&catalogue_);
    std::string header;
    for (size_t range; (range = next.fetch_add(1)) < ranges;) {
      const size_t end = std::min(catalogue_.size(), (range + 1) * kRangeLength);
      for (size_t entry = range * kRangeLength; entry < end; entry++) {
        header.clear();
        blocks_[entry] = Blocks(builder.Append(static_cast<uint32_t>(entry), &header));
      }
    }
  });
}

void MemberLengths::MeasureAgain(uint32_t entry) {
  header_.clear();
  blocks_[entry] = Blocks(builder_.Append(entry, &header_));
}

uint64_t MemberLengths::HeaderLength(uint32_t entry) {
  if (blocks_[entry] != kMore) return blocks_[entry] * kTarBlock;
  header_.clear();
  return builder_.Append(entry, &header_);
}

uint16_t MemberLengths::Blocks(uint64_t length) {
  return static_cast<uint16_t>(std::min<uint64_t>(length / kTarBlock, kMore));
}

}  // namespace shoal
