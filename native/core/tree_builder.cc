#include "core/tree_builder.h"

#include <algorithm>
#include <cstring>

#include "core/format.h"

namespace shoal {
namespace {

constexpr uint32_t kNoNode = 0xFFFFFFFF;
constexpr uint32_t kTypeMask = 0170000;
constexpr uint32_t kDirectoryType = 0040000;
constexpr uint32_t kFileType = 0100000;
constexpr uint32_t kImpliedMode = kDirectoryType | 0755;

const char kBelowNonDirectory[] = "a component of its path is there already and is no directory";
const char kFull[] = "an image holds at most 4294967294 entries";

TreeEntry ImpliedDirectory() {
  TreeEntry entry;
  entry.mode = kImpliedMode;
  return entry;
}

}  // namespace

size_t TreeBuilder::HashAttributes::operator()(const Attributes& value) const {
  const uint64_t low = uint64_t{value.mode} << 32 | value.uid;
  const uint64_t high = uint64_t{value.gid} << 32 | value.xattrs;
  return (low * 0x9E3779B97F4A7C15) ^ ((high + 1) * 0xC2B2AE3D27D4EB4F >> 7);
}

TreeBuilder::TreeBuilder() {
  const uint32_t inode = NewInode(ImpliedDirectory());
  names_of_nodes_.push_back(0);
  parents_.push_back(0);
  inodes_.push_back(inode);
  inode_names_[inode] = 1;
}

const char* TreeBuilder::Add(std::string_view path, const TreeEntry& entry) {
  const bool directory = (entry.mode & kTypeMask) == kDirectoryType;
  if (path.empty() && !directory) return "it would take the place of the root directory";
  std::string_view name;
  const uint32_t parent = path.empty() ? 0 : Parent(path, &name);
  if (parent == kNoNode) return kBelowNonDirectory;
  if (inode_names_.size() >= format::kMaxEntries) return kFull;

  if (directory) {
    const uint32_t node = path.empty() ? 0 : Child(parent, name, NameTable::Hash(parent, name));
    if ((path.empty() || node != 0) && IsDirectory(node)) {
      const uint32_t inode = inodes_[node];
      inode_attributes_[inode] = InternAttributes(entry);
      seconds_[inode] = entry.seconds;
      nanoseconds_[inode] = entry.nanoseconds;
      return nullptr;
    }
  }
  return PlaceInode(parent, name, NewInode(entry));
}

const char* TreeBuilder::AddHardLink(std::string_view path, std::string_view target) {
  const uint32_t target_node = Find(target);
  if (target_node == kNoNode) return "it is a hard link to a path that the archive does not hold";
  if (IsDirectory(target_node)) return "it is a hard link to a directory";
  if (path.empty()) return "it would take the place of the root directory";
  std::string_view name;
  const uint32_t parent = Parent(path, &name);
  if (parent == kNoNode) return kBelowNonDirectory;
  return PlaceInode(parent, name, inodes_[target_node]);
}

const char* TreeBuilder::AddCopy(std::string_view path, std::string_view target, const TreeEntry& entry) {
  const uint32_t target_node = Find(target);
  if (target_node == kNoNode) return "it is a copy of a path that the archive does not hold";
  const uint32_t original = inodes_[target_node];
  if (TypeOf(original) != kFileType || (offsets_[original] & kListed) != 0) {
    return "it is a copy of something that is no file without holes";
  }
  TreeEntry copy = entry;
  copy.mode = kFileType | (entry.mode & ~kTypeMask);
  copy.size = sizes_[original];
  copy.offset = offsets_[original];
  copy.volume = volumes_.empty() ? 0 : volumes_[original];
  const char* problem = Add(path, copy);
  // Its inode is the last one: those of parents that were implied came before.
  if (problem == nullptr) copies_.emplace_back(static_cast<uint32_t>(inode_names_.size() - 1), original);
  return problem;
}

bool TreeBuilder::Holds(std::string_view path) const { return Find(path) != kNoNode; }

uint32_t TreeBuilder::Parent(std::string_view path, std::string_view* name) {
  const size_t slash = path.rfind('/');
  *name = path.substr(slash + 1);
  const std::string_view directory = path.substr(0, slash == std::string_view::npos ? 0 : slash);

  if (directory != trail_path_) {
    const size_t limit = std::min(directory.size(), trail_path_.size());
    const size_t common = static_cast<size_t>(
        std::mismatch(directory.begin(), directory.begin() + limit, trail_path_.begin()).first - directory.begin());
    while (!trail_.empty()) {
      const size_t end = trail_.back().end;
      if (end <= common && (end == directory.size() || directory[end] == '/')) break;
      trail_.pop_back();
    }
    trail_path_.resize(trail_.empty() ? 0 : trail_.back().end);
  }

  uint32_t node = trail_.empty() ? 0 : trail_.back().node;
  if (!IsDirectory(node))
    return kNoNode;  // replaced since; what has children cannot be, so the last step is the only doubt
  while (trail_path_.size() < directory.size()) {
    const size_t start = trail_path_.empty() ? 0 : trail_path_.size() + 1;
    const size_t end = std::min(directory.find('/', start), directory.size());
    const std::string_view component = directory.substr(start, end - start);
    const uint32_t hash = NameTable::Hash(node, component);
    uint32_t child = Child(node, component, hash);
    if (child == 0) {
      if (inode_names_.size() >= format::kMaxEntries) return kNoNode;
      child = NewNode(node, component, hash, NewInode(ImpliedDirectory()));
    }
    if (!IsDirectory(child)) return kNoNode;
    node = child;
    trail_.push_back({end, node});
    if (start > 0) trail_path_.push_back('/');
    trail_path_.append(component);
  }
  return node;
}

uint32_t TreeBuilder::Find(std::string_view path) const {
  uint32_t node = 0;
  while (!path.empty()) {
    const size_t end = std::min(path.find('/'), path.size());
    const std::string_view component = path.substr(0, end);
    node = Child(node, component, NameTable::Hash(node, component));
    if (node == 0) return kNoNode;
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return node;
}

uint32_t TreeBuilder::Child(uint32_t parent, std::string_view name, uint32_t hash) const {
  return table_.Find(hash, [&](uint32_t node) { return parents_[node] == parent && NameOf(node) == name; });
}

const char* TreeBuilder::PlaceInode(uint32_t parent, std::string_view name, uint32_t inode) {
  const uint32_t hash = NameTable::Hash(parent, name);
  const uint32_t node = Child(parent, name, hash);
  if (node == 0) {
    if (inodes_.size() >= format::kMaxEntries) return kFull;
    NewNode(parent, name, hash, inode);
    return nullptr;
  }
  const uint32_t before = inodes_[node];
  if (before == inode) return nullptr;  // a hard link to itself
  if (IsDirectory(node) && sizes_[before] != 0) return "it would take the place of a directory that is not empty";
  inode_names_[before]--;
  inode_names_[inode]++;
  inodes_[node] = inode;
  return nullptr;
}

uint32_t TreeBuilder::NewNode(uint32_t parent, std::string_view name, uint32_t hash, uint32_t inode) {
  const uint32_t node = static_cast<uint32_t>(inodes_.size());
  names_of_nodes_.push_back(static_cast<uint64_t>(names_.size()) << 8 | name.size());
  names_.append(name);
  parents_.push_back(parent);
  inodes_.push_back(inode);
  inode_names_[inode]++;
  sizes_[inodes_[parent]]++;
  table_.Insert(hash, node);
  return node;
}

uint32_t TreeBuilder::NewInode(const TreeEntry& entry) {
  const uint32_t type = entry.mode & kTypeMask;
  uint64_t size = 0;
  uint64_t offset = 0;
  uint16_t volume = 0;
  if (type == kFileType) {
    size = entry.size;
    offset = size == 0 ? 0 : entry.offset;
    if (entry.extents != nullptr) {
      offset = kListed | lists_.size();
      lists_.push_back(*entry.extents);
    } else if (size > 0) {
      volume = entry.volume;
    }
  } else if (type == 0120000) {
    size = entry.link_target.size();
    offset = link_targets_.size();
    link_targets_.append(entry.link_target);
  } else if (type == 0020000 || type == 0060000) {
    size = entry.device_minor;
    offset = entry.device_major;
  }
  inode_attributes_.push_back(InternAttributes(entry));
  inode_names_.push_back(0);
  seconds_.push_back(entry.seconds);
  nanoseconds_.push_back(entry.nanoseconds);
  sizes_.push_back(size);
  offsets_.push_back(offset);
  if (volume > 0) volumes_.resize(offsets_.size() - 1);
  if (volume > 0 || !volumes_.empty()) volumes_.push_back(volume);
  return static_cast<uint32_t>(inode_names_.size() - 1);
}

uint32_t TreeBuilder::InternAttributes(const TreeEntry& entry) {
  Attributes value{entry.mode, entry.uid, entry.gid, format::kNoXattrs};
  if (!entry.xattrs.empty()) {
    const auto row = xattr_rows_.try_emplace(std::string(entry.xattrs), static_cast<uint32_t>(xattr_sets_.size()));
    if (row.second) xattr_sets_.push_back(&row.first->first);
    value.xattrs = row.first->second;
  }
  if (!inode_attributes_.empty() && attributes_[inode_attributes_.back()] == value) return inode_attributes_.back();
  const auto row = attribute_rows_.try_emplace(value, static_cast<uint32_t>(attributes_.size()));
  if (row.second) attributes_.push_back(value);
  return row.first->second;
}

}  // namespace shoal
