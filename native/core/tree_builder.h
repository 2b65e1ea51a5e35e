// Makes a catalogue of paths that come in any order, as extraction one after another would leave a tree: what GNU tar
// does.
//  - A later entry of the same path replaces an earlier one. A directory over a directory keeps its children and takes
//  the new metadata; anything
//    else takes the place of a directory only where that is empty.
//  - Below something that is no directory nothing is added; nor below a symbolic link, which tar may follow and bsdtar
//  refuses.
//  - Parent directories that were not named are implied: mode 0755, uid 0, gid 0, mtime 0.
//  - A hard link names what its target path names at that moment, and keeps it when the target path is replaced later.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "catalogue.h"
#include "name_table.h"
#include "status.h"

namespace shoal {

// What an entry is, all but its path. Which fields count follows from the type in `mode`.
struct TreeEntry {
  uint32_t mode = 0;  // with the type bits of st_mode; no socket
  uint32_t uid = 0;
  uint32_t gid = 0;
  int64_t seconds = 0;
  uint32_t nanoseconds = 0;
  uint64_t size = 0;                             // file
  uint64_t offset = 0;                           // file without holes: in its volume, below 2^63
  uint16_t volume = 0;                           // file without holes: row of its volume
  const std::vector<Extent>* extents = nullptr;  // file with holes: as FORMAT §4.8 wants them
  std::string_view link_target;                  // symbolic link
  uint32_t device_major = 0;                     // device
  uint32_t device_minor = 0;
  std::string_view xattrs;  // an encoded set (FORMAT §4.6); empty: none
};

class TreeBuilder {
 public:
  // In what order files came, by entry.
  struct Arrivals {
    std::vector<uint32_t> files;                        // those that were added, but for copies
    std::vector<std::pair<uint32_t, uint32_t>> copies;  // copy, original
  };

  TreeBuilder();

  // Adds the entry at `path`, which NormalizeEntryPath made. nullptr, or why it has no place in the tree (which is then
  // as before, but for parents that were implied).
  const char* Add(std::string_view path, const TreeEntry& entry);
  const char* AddHardLink(std::string_view path, std::string_view target);
  // A file of its own that has the content of the file at `target`, which has no holes.
  const char* AddCopy(std::string_view path, std::string_view target, const TreeEntry& entry);
  bool Holds(std::string_view path) const;

  // Paths so far, the root's included.
  size_t size() const { return names_of_nodes_.size(); }

  // Writes the catalogue and leaves the builder empty; column by column, to hold each value once. `link_counts` are
  // (entry, nlink) sorted by entry, for entries whose nlink is not the number of their names (directories: 2 + their
  // subdirectories); each must be an entry and no alias.
  // `arrivals` may be nullptr.
  Status Finish(const std::vector<std::pair<uint32_t, uint32_t>>& link_counts, Catalogue* out, Arrivals* arrivals);

 private:
  static constexpr uint64_t kListed = uint64_t{1} << 63;

  struct Attributes {
    uint32_t mode, uid, gid, xattrs;
    bool operator==(const Attributes& other) const {
      return mode == other.mode && uid == other.uid && gid == other.gid && xattrs == other.xattrs;
    }
  };
  struct HashAttributes {
    size_t operator()(const Attributes& value) const;
  };
  struct Step {
    size_t end;  // of the component in trail_path_
    uint32_t node;
  };

  // The directory that holds `path`, made where it is missing, and the last component; kNoNode where something else is
  // in the way.
  uint32_t Parent(std::string_view path, std::string_view* name);
  uint32_t Find(std::string_view path) const;
  uint32_t Child(uint32_t parent, std::string_view name, uint32_t hash) const;
  uint32_t NewNode(uint32_t parent, std::string_view name, uint32_t hash, uint32_t inode);
  uint32_t NewInode(const TreeEntry& entry);
  const char* PlaceInode(uint32_t parent, std::string_view name, uint32_t inode);
  uint32_t InternAttributes(const TreeEntry& entry);

  std::string_view NameOf(uint32_t node) const {
    return std::string_view(names_).substr(names_of_nodes_[node] >> 8, names_of_nodes_[node] & 255);
  }
  uint32_t TypeOf(uint32_t inode) const { return attributes_[inode_attributes_[inode]].mode & 0170000; }
  bool IsDirectory(uint32_t node) const { return TypeOf(inodes_[node]) == 0040000; }

  // Finish, in this order; `order` is the node of each entry, from NumberInodes on its inode (kAliasInode: none of its
  // own).
  std::vector<uint32_t> OrderNodes(Catalogue* out);
  void ListArrivals(const std::vector<uint32_t>& order, Arrivals* out) const;
  void SortByName(uint32_t* nodes, size_t count) const;
  void MoveNames(const std::vector<uint32_t>& order, Catalogue* out);
  void NumberInodes(std::vector<uint32_t>* order, Catalogue* out);
  Status MoveAttributes(const std::vector<uint32_t>& order,
                        const std::vector<std::pair<uint32_t, uint32_t>>& link_counts, Catalogue* out);
  void MoveContents(const std::vector<uint32_t>& order, Catalogue* out);

  // Per node, that is per path; [0] is the root. Nodes are never removed.
  std::string names_;
  std::vector<uint64_t> names_of_nodes_;  // offset << 8 | length
  std::vector<uint32_t> parents_;
  std::vector<uint32_t> inodes_;
  NameTable table_;

  // Per inode, that is per thing that has one path or more, or has lost its last one.
  std::vector<uint32_t> inode_attributes_;  // row in attributes_
  std::vector<uint32_t> inode_names_;       // number of its paths
  std::vector<int64_t> seconds_;
  std::vector<uint32_t> nanoseconds_;
  std::vector<uint64_t> sizes_;  // file: content; symbolic link: target; directory: number of children; device: minor
  std::vector<uint64_t>
      offsets_;  // file: in its volume, or kListed | row in lists_; symbolic link: in link_targets_; device: major
  std::vector<uint16_t> volumes_;                      // empty while all files lie in the first one
  std::vector<std::pair<uint32_t, uint32_t>> copies_;  // copy, original

  std::vector<Attributes> attributes_;
  std::unordered_map<Attributes, uint32_t, HashAttributes> attribute_rows_;
  std::unordered_map<std::string, uint32_t> xattr_rows_;
  std::vector<const std::string*> xattr_sets_;  // keys of xattr_rows_, by row
  std::string link_targets_;
  std::vector<std::vector<Extent>> lists_;

  // Directories of the path added last: the next one is most often in the same directory, or near.
  std::string trail_path_;
  std::vector<Step> trail_;
};

}  // namespace shoal
