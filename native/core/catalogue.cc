#include "core/catalogue.h"

#include <algorithm>

namespace shoal {

std::string Catalogue::Path(uint32_t entry) const {
  std::vector<uint32_t> chain;
  for (; entry != 0; entry = parents[entry]) chain.push_back(entry);
  std::string path;
  for (size_t i = chain.size(); i-- > 0;) {
    path.append(name(chain[i]));
    if (i != 0) path.push_back('/');
  }
  return path;
}

uint32_t Catalogue::Find(std::string_view path) const {
  constexpr uint32_t kTypeMask = 0170000, kDirectory = 0040000;
  uint32_t entry = 0;
  while (!path.empty()) {
    const size_t end = std::min(path.find('/'), path.size());
    const std::string_view wanted = path.substr(0, end);
    path.remove_prefix(std::min(end + 1, path.size()));
    if (attributes[entry] == kAlias || (attribute_rows[attributes[entry]].mode & kTypeMask) != kDirectory) return kNone;
    auto first = static_cast<uint32_t>(offsets[entry]);
    uint32_t left = counts[entry];
    while (left > 0) {
      const uint32_t half = left / 2;
      const bool is_before = name(first + half) < wanted;
      if (is_before) first += half + 1;
      left = is_before ? left - half - 1 : half;
    }
    if (first == offsets[entry] + counts[entry] || name(first) != wanted) return kNone;
    entry = first;
  }
  return entry;
}

}  // namespace shoal
