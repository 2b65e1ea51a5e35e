#include "core/catalogue.h"

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

}  // namespace shoal
