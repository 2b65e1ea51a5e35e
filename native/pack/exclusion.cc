#include "pack/exclusion.h"

namespace shoal {

Status Exclusion::Parse(const std::vector<std::string>& patterns, Exclusion* out) {
  *out = Exclusion();
  for (const std::string& pattern : patterns) {
    SHOAL_RETURN_IF_ERROR(Glob::Parse(pattern, &out->globs_.emplace_back()));
    out->needs_paths_ = out->needs_paths_ || out->globs_.back().is_anchored();
  }
  return Status();
}

Exclusion::Verdict Exclusion::Judge(const std::vector<std::string_view>& path) const {
  Verdict verdict = Verdict::kPacked;
  for (const Glob& glob : globs_) {
    if (verdict == Verdict::kExcludedIfDirectory && glob.wants_directory()) continue;
    if (!glob.Matches(path)) continue;
    if (!glob.wants_directory()) return Verdict::kExcluded;
    verdict = Verdict::kExcludedIfDirectory;
  }
  return verdict;
}

}  // namespace shoal
