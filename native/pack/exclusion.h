// What `--exclude` leaves out of a walk.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "pack/glob.h"

namespace shoal {

class Exclusion {
 public:
  enum class Verdict { kPacked, kExcludedIfDirectory, kExcluded };

  // kUsage, with the pattern as its path, for one that can match nothing.
  static Status Parse(const std::vector<std::string>& patterns, Exclusion* out);

  bool empty() const { return globs_.empty(); }
  // Whether paths matter; else base names alone will do.
  bool needs_paths() const { return needs_paths_; }

  // `path` is from the source's root, its components; where paths do not matter, the last one alone.
  Verdict Judge(const std::vector<std::string_view>& path) const;

 private:
  std::vector<Glob> globs_;
  bool needs_paths_ = false;
};

}  // namespace shoal
