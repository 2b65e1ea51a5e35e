#include "pack/removed_paths.h"

#include <algorithm>

namespace shoal {

void RemovedPaths::Add(const std::string& path) {
  paths_.push_back(path);
  uint32_t node = kRoot;
  for (size_t start = 0; start < path.size();) {
    const size_t end = std::min(path.find('/', start), path.size());
    const auto next = static_cast<uint32_t>(removed_.size());
    const auto child = children_.try_emplace({node, path.substr(start, end - start)}, next);
    if (child.second) {
      removed_.push_back(false);
      found_.push_back(false);
    }
    node = child.first->second;
    start = end + 1;
  }
  removed_[node] = true;
}

uint32_t RemovedPaths::Child(uint32_t directory, std::string_view name) const {
  if (directory == kNone) return kNone;
  const auto child = children_.find({directory, std::string(name)});
  return child == children_.end() ? kNone : child->second;
}

std::vector<std::string> RemovedPaths::Missing() const {
  std::vector<std::string> missing;
  for (const std::string& path : paths_) {
    uint32_t node = kRoot;
    size_t end = 0;
    for (size_t start = 0; start < path.size() && !removed_[node]; start = end + 1) {
      end = std::min(path.find('/', start), path.size());
      node = Child(node, std::string_view(path).substr(start, end - start));
    }
    if (end == path.size() && !found_[node]) missing.push_back(path);
  }
  return missing;
}

}  // namespace shoal
