// The children of a directory that several images have, name by name.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "core/status.h"
#include "pack/part_indexes.h"

namespace shoal {

class ChildMerge {
 public:
  // A child, and the number of the directory that holds it in its layer.
  struct Found {
    Place place;
    uint32_t directory;
  };

  // `indexes` outlive this. Names that it gives lie in their maps.
  explicit ChildMerge(const PartIndexes& indexes) : indexes_(indexes) {}

  // Begins with the children of a directory of these parts. kMalformed where one is no directory.
  Status Start(const std::vector<Place>& parts);

  // The next name in the order of bytes and what the parts call so, topmost first; *found is empty behind the last
  // name. kMalformed where the names of a part are not sorted.
  Status Next(std::string_view* name, std::vector<Found>* found);

 private:
  struct Cursor {
    std::string_view name;
    Place place;
    uint32_t end;
    uint32_t directory;
  };
  static bool IsBehind(const Cursor& a, const Cursor& b) {
    const int order = a.name.compare(b.name);
    return order != 0 ? order > 0 : a.place.layer > b.place.layer;
  }
  Status Advance(Cursor* cursor, bool* more) const;

  const PartIndexes& indexes_;
  std::vector<Cursor> heap_;  // the first name, and of equal ones the topmost, in front
};

}  // namespace shoal
