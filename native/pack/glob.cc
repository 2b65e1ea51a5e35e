#include "pack/glob.h"

#include <cctype>
#include <cstdint>

namespace shoal {
namespace {

constexpr std::string_view kAnyDepth = "**";

struct NamedClass {
  std::string_view name;
  int (*has)(int);
};

// Asked for bytes below 128 only, so that no locale has a say.
constexpr NamedClass kClasses[] = {
    {"alnum", isalnum}, {"alpha", isalpha}, {"blank", isblank}, {"cntrl", iscntrl},
    {"digit", isdigit}, {"graph", isgraph}, {"lower", islower}, {"print", isprint},
    {"punct", ispunct}, {"space", isspace}, {"upper", isupper}, {"xdigit", isxdigit},
};

// Reads the set that begins behind the `[` at *at. Returns whether it has an end; then *at is behind it, and *has tells
// whether `byte` is in it.
bool MatchSet(std::string_view pattern, size_t* at, uint8_t byte, bool* has) {
  size_t i = *at;
  const bool negated = i < pattern.size() && (pattern[i] == '!' || pattern[i] == '^');
  if (negated) i++;
  bool found = false;
  for (const size_t first = i; i < pattern.size(); i++) {
    if (pattern[i] == ']' && i > first) {
      *at = i + 1;
      *has = found != negated;
      return true;
    }
    if (pattern.substr(i, 2) == "[:") {
      const size_t end = pattern.find(":]", i + 2);
      if (end == std::string_view::npos) return false;
      const std::string_view name = pattern.substr(i + 2, end - i - 2);
      bool known = false;
      for (const NamedClass& each : kClasses) {
        if (each.name != name) continue;
        known = true;
        found = found || (byte < 128 && each.has(byte) != 0);
      }
      if (!known) return false;
      i = end + 1;
      continue;
    }
    if (pattern[i] == '\\' && ++i == pattern.size()) return false;
    const auto low = static_cast<uint8_t>(pattern[i]);
    auto high = low;
    if (i + 2 < pattern.size() && pattern[i + 1] == '-' && pattern[i + 2] != ']') {
      i += 2;
      if (pattern[i] == '\\' && ++i == pattern.size()) return false;
      high = static_cast<uint8_t>(pattern[i]);
    }
    found = found || (low <= byte && byte <= high);
  }
  return false;
}

// Whether what stands in the pattern at *at, which is no `*`, matches the byte; *at is behind it then.
bool MatchByte(std::string_view pattern, size_t* at, char byte) {
  size_t i = *at;
  bool has = true;
  switch (pattern[i++]) {
    case '?':
      break;
    case '[':
      if (!MatchSet(pattern, &i, static_cast<uint8_t>(byte), &has)) return false;
      break;
    case '\\':
      has = pattern[i++] == byte;
      break;
    default:
      has = pattern[i - 1] == byte;
  }
  if (has) *at = i;
  return has;
}

// To go back to the last `*` is enough: what an earlier one could take beyond, the last one takes as well.
bool MatchName(std::string_view pattern, std::string_view name) {
  size_t in_pattern = 0, in_name = 0;
  size_t behind_star = std::string_view::npos, retry = 0;
  while (in_name < name.size()) {
    if (in_pattern < pattern.size() && pattern[in_pattern] == '*') {
      behind_star = ++in_pattern;
      retry = in_name;
    } else if (in_pattern < pattern.size() && MatchByte(pattern, &in_pattern, name[in_name])) {
      in_name++;
    } else if (behind_star != std::string_view::npos) {
      in_pattern = behind_star;
      in_name = ++retry;
    } else {
      return false;
    }
  }
  while (in_pattern < pattern.size() && pattern[in_pattern] == '*') in_pattern++;
  return in_pattern == pattern.size();
}

Status CheckComponent(std::string_view component) {
  for (size_t i = 0; i < component.size(); i++) {
    bool has;
    if (component[i] == '\\' && ++i == component.size()) {
      return Status(Code::kUsage, "expected a byte behind the last \\, found none; write \\\\ for a backslash");
    }
    if (component[i] == '[' && (i == 0 || component[i - 1] != '\\')) {
      size_t end = i + 1;
      if (!MatchSet(component, &end, 0, &has)) {
        return Status(Code::kUsage,
                      "expected a set such as [a-z] or [[:digit:]], found one without an end or of an "
                      "unknown class; write \\[ for a bracket");
      }
      i = end - 1;
    }
  }
  return Status();
}

}  // namespace

Status Glob::Parse(std::string_view text, Glob* out) {
  *out = Glob();
  const std::string_view whole = text;
  while (!text.empty() && text.back() == '/') {
    out->wants_directory_ = true;
    text.remove_suffix(1);
  }
  for (bool more = true; more;) {
    const size_t slash = text.find('/');
    more = slash != std::string_view::npos;
    out->is_anchored_ = out->is_anchored_ || more;
    const std::string_view component = text.substr(0, slash);
    if (more) text.remove_prefix(slash + 1);
    if (component.empty() || component == ".") continue;
    if (component == "..") {
      return Status(Code::kUsage, "expected a pattern of paths below the source, found a \"..\"")
          .At(std::string(whole));
    }
    Status status = CheckComponent(component);
    if (!status.ok()) return std::move(status).At(std::string(whole));
    if (component == kAnyDepth && !out->components_.empty() && out->components_.back() == kAnyDepth) continue;
    out->components_.emplace_back(component);
  }
  if (out->components_.empty()) {
    return Status(Code::kUsage, "expected a pattern of names, found one of none; write * for all")
        .At(std::string(whole));
  }
  return Status();
}

bool Glob::Matches(const std::vector<std::string_view>& path) const {
  if (!is_anchored_) return MatchName(components_[0], path.back());
  // As MatchName, with components for bytes and `**` for `*`; at the end that stands for one component at least.
  size_t in_pattern = 0, in_path = 0;
  size_t behind_any = std::string::npos, retry = 0;
  while (in_path < path.size()) {
    if (in_pattern < components_.size() && components_[in_pattern] == kAnyDepth) {
      behind_any = ++in_pattern;
      retry = in_path;
      if (in_pattern == components_.size()) return true;
    } else if (in_pattern < components_.size() && MatchName(components_[in_pattern], path[in_path])) {
      in_pattern++;
      in_path++;
    } else if (behind_any != std::string::npos) {
      in_pattern = behind_any;
      in_path = ++retry;
    } else {
      return false;
    }
  }
  return in_pattern == components_.size();
}

}  // namespace shoal
