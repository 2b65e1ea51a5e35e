// A pattern of file names, with the rules of gitignore(5). Names are bytes: `?` is one byte, and nothing is folded.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/status.h"

namespace shoal {

// `*` any bytes but `/`; `?` one of them; `[a-z]`, `[!a-z]` or `[^a-z]` one of a set, which may have [:classes:] of
// ASCII; `**` as a whole component any number of directories, at the end all that is below; `\` makes the next byte an
// ordinary one. Matching takes time proportional to pattern × path at most, whatever the pattern is.
class Glob {
 public:
  // kUsage for patterns that could never match.
  static Status Parse(std::string_view text, Glob* out);

  // Without a `/` other than at its end: matches a base name at any depth. Else the whole path from the root.
  bool is_anchored() const { return is_anchored_; }
  // It ended in a `/`.
  bool wants_directory() const { return wants_directory_; }

  // `path` is one component or more, of which one that is not anchored looks at the last.
  bool Matches(const std::vector<std::string_view>& path) const;

 private:
  std::vector<std::string> components_;  // `**` stands for itself
  bool is_anchored_ = false;
  bool wants_directory_ = false;
};

}  // namespace shoal
