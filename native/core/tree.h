// The tree that one or several images make. Later ones win: of entries with the same path, that of the image named last
// is shown. Directories are merged, as overlayfs merges them: one that several layers have shows the children of all,
// unless an entry between them that is no directory hides those below.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "layers.h"
#include "merged_directory.h"
#include "node_map.h"
#include "status.h"

namespace shoal {

// Thread-safe. What it is asked about one image alone costs what the image's index does.
class Tree {
 public:
  // Node of the root. The node of every other entry is its number + 1, with its layer in the upper half; that of a
  // merged directory is its topmost part's.
  static constexpr uint64_t kRoot = 1;

  // The children of a directory by position; `merged` is null where it lies in one layer.
  struct Children {
    MergedDirectory* merged;
    Place first;
    uint64_t positions;
  };

  // A child as a listing shows it.
  struct Child {
    Place place;
    std::string_view name;  // in the index of its layer
    Entry entry;            // resolved
    bool hidden = false;    // by an upper layer; then there is no entry
  };

  // Opens the images. Their directory `subdir` becomes the root (empty: the whole tree); no link in it is followed.
  // kUsage where the path is none, or not that of a directory.
  static Status Open(const std::vector<std::string>& index_paths, std::string_view subdir, const ReadOptions& reading,
                     std::unique_ptr<Tree>* out);
  Tree(const Tree&) = delete;
  Tree& operator=(const Tree&) = delete;

  const Layers& layers() const { return layers_; }
  const Image& image(const Place& place) const { return *layers_[place.layer]; }
  const IndexView& index(const Place& place) const { return IndexOf(layers_, place); }

  // Of all layers together, at and below the root. What a layer above hides counts, too.
  const Totals& totals() const { return totals_; }

  uint64_t NodeOf(const Place& place) const {
    const uint64_t node = Pack(place);
    return node == root_node_ ? kRoot : node;
  }

  // False where there is no such entry: nodes come back from programs as file handles, too (open_by_handle_at(2)), so
  // they need not be any that was given out.
  bool Find(uint64_t node, Place* out) const {
    if (node == kRoot) {
      *out = root_;
      return true;
    }
    out->layer = static_cast<uint32_t>(node >> 32);
    out->number = static_cast<uint32_t>(node) - 1;
    return out->layer < layers_.size() && out->number < index(*out).entry_count();
  }

  // Whether a path leads to the entry. Asked for nodes that may never have been given out; from then on they may be
  // used as if they had. A file with several names counts as reachable: which of them are in the tree is not known.
  Status IsReachable(const Place& place, const Entry& entry, bool* out);

  // *place is what is called `name` in the directory, if it exists; then *child is its entry, resolved.
  Status Lookup(const Place& at, const Entry& directory, std::string_view name, Place* place, Entry* child);

  // The directory that shows this one; of the root it is the root.
  Place Parent(const Place& at, const Entry& directory) const;

  Children List(const Place& at, const Entry& directory) const;
  // `position` is less than children.positions. Where this fails, child->place says for which entry.
  Status At(const Children& children, uint64_t position, Child* child);

  bool IsMerged(const Place& at) const { return MergedAt(at) != nullptr; }

 private:
  Tree() : alone_(layers_, {}) {}
  static uint64_t Pack(const Place& place) { return uint64_t{place.layer} << 32 | (uint64_t{place.number} + 1); }
  Status ChooseRoot(std::string_view subdir);
  Status SumTotals();
  MergedDirectory* MergedAt(const Place& at) const;
  Status Merge(const MergedDirectory& parent, std::string_view name, const Place& child);
  void Register(const std::vector<Part>& parts);

  Layers layers_;
  std::vector<Part> root_parts_;
  Place root_;
  uint64_t root_node_ = kRoot;  // what it would be if it were no root
  bool whole_ = true;           // one image, all of it: every entry is shown
  Totals totals_;

  // Where there are several layers: what was given out of a merged directory. Each part of a directory that is merged,
  // too, leads to that; those of one layer lead to alone_.
  NodeMap<MergedDirectory> known_;
  MergedDirectory alone_;
  std::mutex registering_;
  std::vector<std::unique_ptr<MergedDirectory>> merged_;
};

}  // namespace shoal
