#include "pack/slice.h"

#include <utility>
#include <vector>

#include "pack/leave_out.h"

namespace shoal {

std::shared_ptr<PackCatalogue> TakeSlice(const PackCatalogue& whole, const Slice& slice) {
  std::vector<bool> kept(whole.size(), false);
  kept[0] = true;
  for (uint32_t entry = slice.first; entry < whole.size(); entry++) {
    const uint32_t unit = whole.IsAlias(entry) ? static_cast<uint32_t>(whole.offsets[entry]) : entry;
    if (unit < slice.first || unit >= slice.end || !BeginsUnit(whole, unit)) continue;
    for (uint32_t at = entry; !kept[at]; at = whole.parents[at]) kept[at] = true;
  }
  std::vector<uint32_t> others;
  for (uint32_t entry = 0; entry < whole.size(); entry++) {
    if (!kept[entry]) others.push_back(entry);
  }

  auto out = std::make_shared<PackCatalogue>();
  static_cast<Catalogue&>(*out) = whole;
  out->sources = whole.sources;
  out->made_up_root = whole.made_up_root;
  out->complete = true;
  out->skips_unreadable = true;
  out->checks_directories = false;
  out->stamps = whole.stamps;
  out->content_bytes = whole.content_bytes;
  out->threads = whole.threads;
  LeaveOut(out.get(), std::move(others));
  return out;
}

}  // namespace shoal
