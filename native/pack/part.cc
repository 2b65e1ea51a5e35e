#include "pack/part.h"

#include <string>
#include <vector>

#include "core/murmur3.h"
#include "pack/leave_out.h"

namespace shoal {
namespace {

// Any would do, but it must stay: parts of one tree may be packed by different versions.
constexpr uint32_t kSeed = 0x70617274;  // "part"

}  // namespace

uint32_t PartOf(std::string_view path, uint32_t count) { return Murmur3(path.data(), path.size(), kSeed) % count; }

void KeepPart(PackCatalogue* catalogue, uint32_t part, uint32_t count) {
  std::vector<uint32_t> others;
  std::vector<bool> kept(catalogue->size(), true);
  uint32_t parent = 0;  // of the entry before
  std::string path;
  size_t parent_length = 0;
  for (uint32_t entry = 0; entry < catalogue->size(); entry++) {
    if (catalogue->IsDirectory(entry)) continue;
    if (catalogue->IsAlias(entry)) {
      kept[entry] = kept[catalogue->offsets[entry]];
    } else {
      if (catalogue->parents[entry] != parent) {
        parent = catalogue->parents[entry];
        path = catalogue->Path(parent);
        if (!path.empty()) path.push_back('/');
        parent_length = path.size();
      }
      path.resize(parent_length);
      path.append(catalogue->name(entry));
      kept[entry] = PartOf(path, count) == part;
    }
    if (!kept[entry]) others.push_back(entry);
  }
  LeaveOut(catalogue, std::move(others));
}

}  // namespace shoal
