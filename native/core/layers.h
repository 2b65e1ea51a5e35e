// Images that are shown as one tree.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "image.h"

namespace shoal {

// Layer 0 is on top: of entries with the same path, its own is shown.
using Layers = std::vector<std::unique_ptr<Image>>;

constexpr uint32_t kLayerBits = 10;
constexpr size_t kMaxLayers = size_t{1} << kLayerBits;

// Where an entry stands.
struct Place {
  uint32_t layer = 0;
  uint32_t number = IndexView::kNone;  // in the layer's index; kNone: there is no such entry

  bool exists() const { return number != IndexView::kNone; }
  bool operator==(const Place& other) const { return layer == other.layer && number == other.number; }
};

// One of the directories that are shown as one.
struct Part {
  Place place;
  uint32_t first_child = 0;
  uint32_t child_count = 0;
};

inline const IndexView& IndexOf(const Layers& layers, const Place& place) { return layers[place.layer]->index(); }

}  // namespace shoal
