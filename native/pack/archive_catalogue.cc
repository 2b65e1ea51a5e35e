#include "pack/archive_catalogue.h"

#include <algorithm>
#include <string>
#include <unordered_map>
#include <utility>

#include "pack/holes.h"

namespace shoal {
namespace {

// Linux has 12 bits of major and 20 of minor numbers, and a tar header room for 21.
constexpr uint64_t kMaxDeviceNumber = (1 << 21) - 1;

// Joins runs of data with no hole of a volume's length between them.
std::vector<Extent> JoinNear(const std::vector<Extent>& runs, uint64_t size) {
  std::vector<Extent> joined;
  uint64_t end = 0;
  auto add = [&](uint64_t begin, uint64_t next_end) {
    if (begin - end >= kMinHole) {
      if (begin < size) joined.push_back({begin, next_end - begin, 0, 0});
    } else if (joined.empty()) {
      joined.push_back({0, next_end, 0, 0});
    } else {
      joined.back().length = next_end - joined.back().file_offset;
    }
    end = next_end;
  };
  for (const Extent& run : runs) add(run.file_offset, run.file_offset + run.length);
  if (end < size) add(size, size);
  return joined;
}

// Copies of the first entry with their content, whichever it was in the archive: members stand in the order of entries.
void TakeCopies(const std::vector<std::pair<uint32_t, uint32_t>>& copies, ArchiveCatalogue* out) {
  if (copies.empty()) return;
  std::unordered_map<uint32_t, uint32_t> first;  // by original in the archive
  for (const auto& [copy, original] : copies) {
    const auto found = first.try_emplace(original, original).first;
    found->second = std::min(found->second, copy);
  }
  out->originals.assign(out->size(), Catalogue::kNone);
  for (const auto& [original, leader] : first) {
    if (leader != original) out->originals[original] = leader;
  }
  for (const auto& [copy, original] : copies) {
    if (first[original] != copy) out->originals[copy] = first[original];
  }
  for (uint32_t entry = 0; entry < out->size(); entry++) {
    if (out->IsCopy(entry)) out->same_content.emplace_back(out->originals[entry], entry);
  }
  std::sort(out->same_content.begin(), out->same_content.end());
}

}  // namespace

Status TakeScan(TarScan scan, ArchiveCatalogue* out) {
  static_cast<Catalogue&>(*out) = std::move(scan.catalogue);
  TakeCopies(scan.copies, out);
  std::vector<ExtentList> lists = std::move(out->extent_lists);
  out->extent_lists.clear();
  auto list = lists.begin();
  for (uint32_t entry = 0; entry < out->size(); entry++) {
    if (out->IsAlias(entry)) continue;
    const uint32_t type = out->Row(entry).mode & S_IFMT;
    if ((type == S_IFCHR || type == S_IFBLK) &&
        (out->offsets[entry] > kMaxDeviceNumber || out->counts[entry] > kMaxDeviceNumber)) {
      return Status(Code::kUnsupported, "expected device numbers of at most 21 bits, found " +
                                            std::to_string(out->offsets[entry]) + " and " +
                                            std::to_string(out->counts[entry]))
          .At(out->Path(entry));
    }
    if (!out->IsFile(entry)) continue;
    const uint64_t size = out->sizes[entry];
    out->content_bytes += size;
    if (list != lists.end() && list->entry == entry) {
      for (const Extent& extent : list->extents) {
        out->segments.push_back({extent.offset, extent.file_offset, extent.length, entry});
      }
      std::vector<Extent> joined = JoinNear(list->extents, size);
      // Nothing of the archive, but a file that is to be written.
      if (list->extents.empty() && !joined.empty()) out->segments.push_back({0, 0, 0, entry});
      const bool holed = joined.size() != 1 || joined.front().length != size;
      if (holed) out->extent_lists.push_back({entry, size, std::move(joined)});
      ++list;
    } else if (size > 0 && !out->IsCopy(entry)) {
      out->segments.push_back({out->offsets[entry], 0, size, entry});
    }
    out->offsets[entry] = 0;
  }
  std::stable_sort(out->segments.begin(), out->segments.end(),
                   [](const auto& a, const auto& b) { return a.stream_offset < b.stream_offset; });
  return Status();
}

}  // namespace shoal
