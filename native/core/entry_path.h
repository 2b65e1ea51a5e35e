// The one rule by which a path out of an archive becomes a path of a tree.
#pragma once

#include <string>
#include <string_view>

namespace shoal {

// Longer paths are refused: 256 times Linux's PATH_MAX, and an archive could otherwise name millions of directories in
// one member.
constexpr size_t kMaxEntryPathLength = 1 << 20;

// Writes "a/b/c" (empty: the root) to *out: a NUL ends the path, leading slashes and components that are empty or `.`
// are dropped. nullptr on success; else why the path has no place in a tree: `..`, a component of more than 255 bytes,
// or a length above kMaxEntryPathLength.
const char* NormalizeEntryPath(std::string_view path, std::string* out);

}  // namespace shoal
