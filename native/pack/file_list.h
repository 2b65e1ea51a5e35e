// The paths that `--files-from` names: the walk looks at them, and at what is below them, alone.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/status.h"
#include "pack/pack_catalogue.h"

namespace shoal {

class FileList {
 public:
  // The listed paths at and below one directory.
  struct Range {
    uint32_t begin = 0, end = 0;
    uint32_t depth = 0;  // bytes of the directory's own path, with a `/` behind each component
  };

  // `text` has the paths, each with `separator` behind it (behind the last it may be missing). They are relative to the
  // source, or absolute and below it as the user wrote it or as it is. Empty ones are passed over. A path with `..`, or
  // outside of the source, is kUsage.
  static Status Parse(const std::string& text, char separator, const Source& source, FileList* out);

  Range All() const { return {0, static_cast<uint32_t>(places_.size()), 0}; }

  // Whether the directory itself is listed, and with it all that is below.
  bool IsWhole(const Range& range) const {
    return range.begin < range.end && places_[range.begin].length == range.depth;
  }
  // The names that are listed in the directory, or have listed paths below them: sorted, each with a NUL behind it.
  std::string Names(const Range& range) const;
  // The listed paths at and below `name` in the directory.
  Range Below(const Range& range, std::string_view name) const;
  // A listed path as it was understood: from the source's root, without a `/` at its end.
  std::string_view Path(uint32_t number) const { return Stored(number).substr(0, Stored(number).find_last_of('/')); }

 private:
  struct Place {
    size_t offset;
    uint32_t length;
  };

  Status Add(std::string_view path, const Source& source);
  std::string_view Stored(uint32_t number) const {
    return std::string_view(paths_).substr(places_[number].offset, places_[number].length);
  }

  std::string paths_;          // back to back, each with a `/` behind each component; the root is empty
  std::vector<Place> places_;  // sorted, so that what is below one directory stands together
};

}  // namespace shoal
