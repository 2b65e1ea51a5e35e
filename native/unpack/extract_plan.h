// What an extraction is to make of an image, kind by kind.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/index_view.h"
#include "unpack/problem_list.h"

namespace shoal {

struct ExtractPlan {
  struct Directory {
    uint32_t entry;
    bool selected;  // else only above something selected
  };
  // A further name or a node: `place` is the entry whose path it gets, `entry` the one that holds its attributes (for a
  // link: its place's).
  struct Placed {
    uint32_t place;
    uint32_t entry;
  };

  std::vector<Directory> directories;  // ascending: parents before their children
  std::vector<uint32_t> files;         // ascending, no aliases
  std::vector<Placed> nodes;           // symbolic links, devices, FIFOs
  std::vector<Placed> links;           // aliases of files and nodes: `entry` is the place of what they are linked to
  uint64_t entries = 0;                // selected
  uint64_t bytes = 0;                  // of content

  // The place of a file: its own, but that of its first selected alias where it is not selected itself.
  uint32_t PlaceOf(uint32_t file) const {
    auto at = places.find(file);
    return at == places.end() ? file : at->second;
  }
  std::unordered_map<uint32_t, uint32_t> places;  // of the few that are not at their own
};

// Selects the entries at `paths` (all where there are none) with everything below them. Slashes at both ends, repeated
// ones and `.` are skipped. A path that the image does not have is listed.
Status MakeExtractPlan(const IndexView& index, const std::vector<std::string>& paths, ProblemList* problems,
                       ExtractPlan* out);

}  // namespace shoal
