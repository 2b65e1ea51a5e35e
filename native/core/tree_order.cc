// The second half of TreeBuilder: from nodes in order of arrival to a catalogue in index order (FORMAT §4.2).
#include <algorithm>
#include <cstring>

#include "core/bytes.h"
#include "core/format.h"
#include "core/tree_builder.h"

namespace shoal {
namespace {

constexpr uint32_t kAliasInode = 0xFFFFFFFF;
constexpr uint32_t kNoEntry = 0xFFFFFFFF;

template <typename T>
void Free(T* container) {
  T().swap(*container);
}

// The column of entries from a column of inodes, which is freed.
template <typename T>
void MoveColumn(const std::vector<uint32_t>& order, std::vector<T>* from, std::vector<T>* to) {
  to->resize(order.size());
  for (size_t entry = 0; entry < order.size(); entry++) {
    if (order[entry] != kAliasInode) (*to)[entry] = (*from)[order[entry]];
  }
  Free(from);
}

// Up to eight bytes of `name` from `start` on, so that numbers compare as the bytes do. Names hold no NUL, so the end
// sorts first.
uint64_t SortKey(std::string_view name, size_t start) {
  uint64_t key = 0;
  std::memcpy(&key, name.data() + start, std::min<size_t>(8, name.size() - start));
  return __builtin_bswap64(key);
}

}  // namespace

Status TreeBuilder::Finish(const std::vector<std::pair<uint32_t, uint32_t>>& link_counts, Catalogue* out,
                           Arrivals* arrivals) {
  *out = Catalogue();
  table_.Release();
  std::vector<uint32_t> order = OrderNodes(out);
  MoveNames(order, out);
  NumberInodes(&order, out);
  if (arrivals != nullptr) ListArrivals(order, arrivals);
  SHOAL_RETURN_IF_ERROR(MoveAttributes(order, link_counts, out));
  MoveContents(order, out);
  MoveColumn(order, &seconds_, &out->seconds);
  MoveColumn(order, &nanoseconds_, &out->nanoseconds);
  if (!volumes_.empty()) MoveColumn(order, &volumes_, &out->volumes);
  out->checksums.resize(order.size());
  return Status();
}

void TreeBuilder::ListArrivals(const std::vector<uint32_t>& order, Arrivals* out) const {
  std::vector<uint32_t> entries(inode_names_.size(), kNoEntry);  // of inodes, which are numbered as they come
  for (size_t entry = 0; entry < order.size(); entry++) {
    if (order[entry] != kAliasInode) entries[order[entry]] = static_cast<uint32_t>(entry);
  }
  auto copy = copies_.begin();
  for (uint32_t inode = 0; inode < entries.size(); inode++) {
    const bool is_copy = copy != copies_.end() && copy->first == inode;
    if (is_copy && entries[inode] != kNoEntry && entries[copy->second] != kNoEntry) {
      out->copies.emplace_back(entries[inode], entries[copy->second]);
    }
    if (is_copy) {
      ++copy;
    } else if (entries[inode] != kNoEntry && TypeOf(inode) == 0100000) {
      out->files.push_back(entries[inode]);
    }
  }
}

std::vector<uint32_t> TreeBuilder::OrderNodes(Catalogue* out) {
  const size_t count = inodes_.size();
  // The children of node d are children[ends[d − 1], ends[d]): first ends is where they start, and moves as they are
  // put.
  std::vector<uint32_t> ends(count);
  for (size_t node = 1; node < count; node++) {
    if (parents_[node] + 1 < count) ends[parents_[node] + 1]++;
  }
  for (size_t node = 1; node < count; node++) ends[node] += ends[node - 1];
  std::vector<uint32_t> children(count - 1);
  for (size_t node = 1; node < count; node++) children[ends[parents_[node]]++] = static_cast<uint32_t>(node);

  std::vector<uint32_t> order(1, 0);
  order.reserve(count);
  out->parents.assign(count, 0);
  out->offsets.assign(count, 0);
  out->counts.assign(count, 0);
  for (size_t entry = 0; entry < order.size(); entry++) {
    const uint32_t node = order[entry];
    if (!IsDirectory(node)) continue;
    const size_t start = node == 0 ? 0 : ends[node - 1];
    const size_t size = ends[node] - start;
    SortByName(children.data() + start, size);
    out->offsets[entry] = order.size();
    out->counts[entry] = static_cast<uint32_t>(size);
    std::fill_n(out->parents.begin() + static_cast<ptrdiff_t>(order.size()), size, static_cast<uint32_t>(entry));
    order.insert(order.end(), children.begin() + static_cast<ptrdiff_t>(start),
                 children.begin() + static_cast<ptrdiff_t>(start + size));
  }
  Free(&parents_);
  return order;
}

void TreeBuilder::SortByName(uint32_t* nodes, size_t count) const {
  const auto before = [this](uint32_t a, uint32_t b) { return NameOf(a) < NameOf(b); };
  if (count < 2 || std::is_sorted(nodes, nodes + count, before)) return;

  // Names of one directory often begin alike; what follows decides, and is held beside the node to save a look at the
  // names.
  const std::string_view first = NameOf(nodes[0]);
  size_t common = first.size();
  for (size_t i = 1; i < count; i++) {
    const std::string_view name = NameOf(nodes[i]);
    size_t same = 0;
    while (same < common && same < name.size() && name[same] == first[same]) same++;
    common = same;
  }
  struct Keyed {
    uint64_t key;
    uint32_t node;
  };
  std::vector<Keyed> keyed(count);
  for (size_t i = 0; i < count; i++) keyed[i] = {SortKey(NameOf(nodes[i]), common), nodes[i]};
  std::sort(keyed.begin(), keyed.end(), [&before](const Keyed& a, const Keyed& b) {
    return a.key != b.key ? a.key < b.key : before(a.node, b.node);
  });
  for (size_t i = 0; i < count; i++) nodes[i] = keyed[i].node;
}

void TreeBuilder::MoveNames(const std::vector<uint32_t>& order, Catalogue* out) {
  out->name_lengths.reserve(order.size());
  out->name_offsets.reserve(order.size());
  out->names.reserve(names_.size());
  for (uint32_t node : order) {
    const std::string_view name = NameOf(node);
    out->name_lengths.push_back(static_cast<uint8_t>(name.size()));
    out->name_offsets.push_back(out->names.size());
    out->names.append(name);
  }
  Free(&names_);
  Free(&names_of_nodes_);
}

void TreeBuilder::NumberInodes(std::vector<uint32_t>* order, Catalogue* out) {
  std::vector<uint32_t> primaries;  // by inode; only where there are hard links
  for (size_t entry = 0; entry < order->size(); entry++) {
    const uint32_t inode = inodes_[(*order)[entry]];
    (*order)[entry] = inode;
    if (inode_names_[inode] == 1) continue;
    if (primaries.empty()) primaries.assign(inode_names_.size(), kAliasInode);
    if (primaries[inode] == kAliasInode) {
      primaries[inode] = static_cast<uint32_t>(entry);
    } else {
      out->offsets[entry] = primaries[inode];
      (*order)[entry] = kAliasInode;
    }
  }
  Free(&inodes_);
}

Status TreeBuilder::MoveAttributes(const std::vector<uint32_t>& order,
                                   const std::vector<std::pair<uint32_t, uint32_t>>& link_counts, Catalogue* out) {
  std::unordered_map<uint64_t, uint32_t> rows;  // row of attributes_ << 32 | nlink → row of out->attribute_rows
  std::vector<uint32_t> set_offsets(xattr_sets_.size(), format::kNoXattrs);
  auto link_count = link_counts.begin();
  out->attributes.resize(order.size());
  for (size_t entry = 0; entry < order.size(); entry++) {
    const bool counted = link_count != link_counts.end() && link_count->first == entry;
    if (order[entry] == kAliasInode) {
      if (counted) break;
      out->attributes[entry] = Catalogue::kAlias;
      continue;
    }
    const uint32_t inode = order[entry];
    uint32_t links = inode_names_[inode];
    if (counted) {
      links = link_count++->second;
    } else if (TypeOf(inode) == 0040000) {
      links = 2;
      const size_t first = out->offsets[entry];
      for (size_t child = first; child < first + out->counts[entry]; child++) {
        if (order[child] != kAliasInode && TypeOf(order[child]) == 0040000) links++;
      }
    }
    const uint64_t key = uint64_t{inode_attributes_[inode]} << 32 | links;
    const auto row = rows.try_emplace(key, static_cast<uint32_t>(out->attribute_rows.size()));
    if (row.second) {
      const Attributes& value = attributes_[inode_attributes_[inode]];
      uint32_t set = format::kNoXattrs;
      if (value.xattrs != format::kNoXattrs) {
        uint32_t& offset = set_offsets[value.xattrs];
        if (offset == format::kNoXattrs) {
          if (out->xattr_sets.size() + xattr_sets_[value.xattrs]->size() >= format::kNoXattrs) {
            return Status(Code::kUnsupported, "an image holds at most 4 GiB of extended attributes");
          }
          offset = static_cast<uint32_t>(out->xattr_sets.size());
          out->xattr_sets.append(*xattr_sets_[value.xattrs]);
        }
        set = offset;
      }
      out->attribute_rows.push_back({value.mode, value.uid, value.gid, links, set});
    }
    out->attributes[entry] = row.first->second;
  }
  if (link_count != link_counts.end()) {
    return Status(Code::kMalformed, "expected link counts of entries in ascending order, found one of entry " +
                                        std::to_string(link_count->first) +
                                        ", which is an alias, no entry or out of order");
  }
  Free(&inode_names_);
  Free(&xattr_rows_);
  Free(&xattr_sets_);
  return Status();
}

void TreeBuilder::MoveContents(const std::vector<uint32_t>& order, Catalogue* out) {
  out->sizes.assign(order.size(), 0);
  for (size_t entry = 0; entry < order.size(); entry++) {
    const uint32_t inode = order[entry];
    if (inode == kAliasInode) continue;
    const uint64_t size = sizes_[inode];
    const uint64_t offset = offsets_[inode];
    switch (TypeOf(inode)) {
      case 0100000:
        out->sizes[entry] = size;
        if (offset & kListed) {
          out->extent_lists.push_back({static_cast<uint32_t>(entry), size, std::move(lists_[offset & ~kListed])});
        } else {
          out->offsets[entry] = offset;
        }
        break;
      case 0120000:
        out->sizes[entry] = size;
        out->offsets[entry] = out->link_targets.size();
        out->link_targets.append(link_targets_, offset, size);
        break;
      case 0020000:
      case 0060000:
        out->offsets[entry] = offset;
        out->counts[entry] = static_cast<uint32_t>(size);
        break;
      default:
        break;
    }
  }
  Free(&sizes_);
  Free(&offsets_);
  Free(&link_targets_);
  Free(&lists_);
  Free(&inode_attributes_);
}

}  // namespace shoal
