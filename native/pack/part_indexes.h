// The indexes of images that are merged.
#pragma once

#include <memory>
#include <vector>

#include "core/index_view.h"
#include "core/layers.h"

namespace shoal {

struct PartIndex {
  std::unique_ptr<IndexView> view;
  std::vector<VolumeInfo> volumes;
  std::vector<uint32_t> volume_numbers;  // of each of its volumes, among those of all parts
};

// Layer 0 is on top: the part named last.
using PartIndexes = std::vector<PartIndex>;

inline const IndexView& IndexOf(const PartIndexes& parts, const Place& place) { return *parts[place.layer].view; }

}  // namespace shoal
