// What is known of a tree before its index exists: entries in index order (FORMAT §4.2), column by column. Made by the
// walk of a directory or by the scan of an archive, completed by the volume writer, shown to JavaScript as typed
// arrays to be encoded.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "index_view.h"

namespace shoal {

// Something that could not be done for one path; listed, not thrown.
struct Problem {
  Code code = Code::kOk;
  std::string path;  // bytes, as the user would write it
  std::string message;
};

struct AttributesRow {
  uint32_t mode = 0;
  uint32_t uid = 0;
  uint32_t gid = 0;
  uint32_t nlink = 0;
  uint32_t xattrs = format::kNoXattrs;
};

struct ExtentList {
  uint32_t entry = 0;
  uint64_t size = 0;
  std::vector<Extent> extents;
};

struct Catalogue {
  virtual ~Catalogue() = default;  // a walk keeps more with it

  static constexpr uint32_t kAlias = 0xFFFFFFFF;  // in `attributes`
  static constexpr uint32_t kNone = 0xFFFFFFFF;   // no entry

  // Per entry; [0] is the root.
  std::vector<uint8_t> name_lengths;
  std::string names;  // back to back
  std::vector<uint64_t> name_offsets;
  std::vector<uint32_t> parents;
  std::vector<uint32_t> attributes;  // row in attribute_rows (not limited to 24 bits here), or kAlias
  std::vector<int64_t> seconds;
  std::vector<uint32_t> nanoseconds;
  std::vector<uint64_t> sizes;      // file: content; symbolic link: target; else 0
  std::vector<uint64_t> offsets;    // file: in its volume; symbolic link: in link_targets; directory: first child;
                                    // device: major; alias: target entry
  std::vector<uint16_t> volumes;    // file: row of its volume; else 0. Empty: all files lie in the first one
  std::vector<uint32_t> counts;     // directory: child count; device: minor; else 0
  std::vector<uint32_t> checksums;  // file: as FORMAT §4.2 word 1; else 0

  // Shared. A file has an extent list iff it has holes; lists are sorted by entry.
  std::vector<AttributesRow> attribute_rows;
  std::string xattr_sets;  // encoded as FORMAT §4.6
  std::string link_targets;
  std::vector<ExtentList> extent_lists;
  std::vector<uint32_t> chunk_checksums;
  bool has_checksums = false;

  // JavaScript reads the columns where they are: none of them may change any more.
  bool is_closed = false;

  size_t size() const { return parents.size(); }
  std::string_view name(uint32_t entry) const {
    return std::string_view(names).substr(name_offsets[entry], name_lengths[entry]);
  }
  std::string Path(uint32_t entry) const;      // "a/b/c"; empty for the root
  uint32_t Find(std::string_view path) const;  // the entry at it, or kNone
};

}  // namespace shoal
