#include "pack/sample.h"

#include <string_view>

namespace shoal {

bool IsSameSample(const Catalogue& catalogue, uint32_t a, uint32_t b) {
  if (catalogue.parents[a] != catalogue.parents[b]) return false;
  const std::string_view name = catalogue.name(a);
  const size_t dot = name.find('.');
  return dot != std::string_view::npos && dot > 0 && catalogue.name(b).substr(0, dot + 1) == name.substr(0, dot + 1);
}

}  // namespace shoal
