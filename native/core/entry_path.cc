#include "core/entry_path.h"

#include "core/format.h"

namespace shoal {

const char* NormalizeEntryPath(std::string_view path, std::string* out) {
  out->clear();
  path = path.substr(0, path.find('\0'));
  if (path.size() > kMaxEntryPathLength) return "the path is longer than 1048576 bytes";
  while (!path.empty()) {
    const size_t end = path.find('/');
    const std::string_view component = path.substr(0, end);
    path.remove_prefix(end == std::string_view::npos ? path.size() : end + 1);
    if (component.empty() || component == ".") continue;
    if (component == "..") return "the path has a component `..`, which would lead out of the tree";
    if (component.size() > format::kMaxNameLength) return "the path has a component of more than 255 bytes";
    if (!out->empty()) out->push_back('/');
    out->append(component);
  }
  return nullptr;
}

}  // namespace shoal
