// Paths that are to be left out of a merged tree, with all below them.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace shoal {

// The paths as a tree of nodes; what is below a removed path needs none.
class RemovedPaths {
 public:
  static constexpr uint32_t kRoot = 0;
  static constexpr uint32_t kNone = 0xFFFFFFFF;  // nothing here or below is removed

  // `path` is one that NormalizeEntryPath made, and not empty.
  void Add(const std::string& path);

  // The node of a name in a directory.
  uint32_t Child(uint32_t directory, std::string_view name) const;

  bool IsRemoved(uint32_t node) const { return node != kNone && removed_[node]; }
  void MarkFound(uint32_t node) { found_[node] = true; }

  // Those that were not found, but for those below another that is removed.
  std::vector<std::string> Missing() const;

 private:
  std::map<std::pair<uint32_t, std::string>, uint32_t> children_;
  std::vector<bool> removed_{false};
  std::vector<bool> found_{false};
  std::vector<std::string> paths_;
};

}  // namespace shoal
