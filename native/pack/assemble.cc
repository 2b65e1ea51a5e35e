#include "pack/assemble.h"

#include <unistd.h>

#include <map>
#include <string_view>
#include <utility>

#include "core/format.h"
#include "core/free_memory.h"

namespace shoal {
namespace {

constexpr uint32_t kUnset = 0xFFFFFFFF;
// Entries between two times that the memory of listings is given back: some 16 MiB of it.
constexpr size_t kEntriesToReturn = 1 << 18;

class Assembler {
 public:
  Assembler(std::deque<Listing>* listings, AttributeTable* attributes, const std::vector<Source>& sources,
            bool measures_space, PackCatalogue* out)
      : listings_(*listings), table_(*attributes), sources_(sources), measures_space_(measures_space), out_(*out) {}

  Status Run();

 private:
  struct Directory {
    uint32_t entry, listing;
  };
  // What a part holds beside its children, read along with them.
  struct Cursors {
    size_t linked = 0, holed = 0;
  };

  bool IsPresent(const Child& child) const {
    return child.kind != Child::Kind::kAbsent &&
           !(child.kind == Child::Kind::kDirectory && listings_[child.place].failed);
  }
  Status CountAndReserve();
  Status AddRoot();
  Status AddChildrenOf(Directory directory);
  Status AddChild(std::string_view name, uint32_t parent, const Child& child, ListingPart* part, uint32_t number,
                  Cursors* cursors);
  void AddEntry(std::string_view name, uint32_t parent);
  Status SetAttributes(uint32_t entry, uint32_t row);

  std::deque<Listing>& listings_;
  AttributeTable& table_;
  const std::vector<Source>& sources_;
  const bool measures_space_;
  PackCatalogue& out_;

  std::vector<uint32_t> rows_;  // row in the table → row in the catalogue
  std::vector<uint32_t> sets_;  // set in the table → its offset in the catalogue
  std::vector<Directory> directories_;
  std::map<std::pair<uint64_t, uint64_t>, uint32_t> linked_;  // device and inode → first entry
};

Status Assembler::Run() {
  SHOAL_RETURN_IF_ERROR(CountAndReserve());
  rows_.assign(table_.row_count() + 1, kUnset);  // one more for a root made up
  sets_.assign(table_.set_count(), kUnset);
  SHOAL_RETURN_IF_ERROR(AddRoot());
  size_t returned = 0;
  for (size_t i = 0; i < directories_.size(); i++) {
    SHOAL_RETURN_IF_ERROR(AddChildrenOf(directories_[i]));
    if (out_.size() - returned < kEntriesToReturn) continue;
    ReturnFreeMemory();
    returned = out_.size();
  }
  ReturnFreeMemory();
  return Status();
}

Status Assembler::CountAndReserve() {
  uint64_t entries = 1, names = 0, directories = 1;
  for (const Listing& listing : listings_) {
    for (const ListingPart& part : listing.parts) {
      for (const Child& child : part.children) {
        entries += IsPresent(child);
        directories += child.kind == Child::Kind::kDirectory;
      }
    }
    names += listing.names.size() - listing.size();
  }
  if (entries > format::kMaxEntries) {
    return Status(Code::kUnsupported, "expected at most 4294967294 entries, found " + std::to_string(entries) +
                                          "; pack parts of the tree into images of their own");
  }
  const auto count = static_cast<size_t>(entries);
  out_.name_lengths.reserve(count);
  out_.names.reserve(names);
  out_.name_offsets.reserve(count);
  out_.parents.reserve(count);
  out_.attributes.reserve(count);
  out_.seconds.reserve(count);
  out_.nanoseconds.reserve(count);
  out_.sizes.reserve(count);
  out_.offsets.reserve(count);
  out_.counts.reserve(count);
  out_.checksums.reserve(count);
  out_.stamps.reserve(count);
  if (measures_space_) out_.spaces.reserve(count);
  directories_.reserve(directories);
  return Status();
}

Status Assembler::AddRoot() {
  Listing& top = listings_[0];
  const Child& first = top.parts[0].children[0];
  out_.made_up_root = sources_.size() > 1 || first.kind != Child::Kind::kDirectory;
  AddEntry("", 0);
  if (out_.made_up_root) {
    AttributesRow row{S_IFDIR | 0755, 0, 0, 2, format::kNoXattrs};
    for (const ListingPart& part : top.parts) {
      for (const Child& child : part.children) row.nlink += IsPresent(child) && child.kind == Child::Kind::kDirectory;
    }
    directories_.push_back({0, 0});
    return SetAttributes(0, table_.AddRow(row));
  }
  out_.sources = sources_;
  out_.seconds[0] = first.seconds;
  out_.nanoseconds[0] = first.nanoseconds;
  out_.stamps[0] = first.stamp;
  // Where the source cannot be listed there is nothing below the root; the walk has told why.
  directories_.push_back({0, first.place});
  return SetAttributes(0, first.attributes);
}

Status Assembler::AddChildrenOf(Directory directory) {
  Listing& listing = listings_[directory.listing];
  const auto first = static_cast<uint32_t>(out_.size());
  uint32_t number = 0;  // of the child in its listing
  for (ListingPart& part : listing.parts) {
    Cursors cursors;
    for (uint32_t i = 0; i < part.children.size(); i++, number++) {
      const Child& child = part.children[i];
      if (!IsPresent(child)) continue;
      std::string_view name = listing.name_view(number);
      if (directory.listing == 0) {
        name = sources_[number].name;
        out_.sources.push_back(sources_[number]);
      }
      SHOAL_RETURN_IF_ERROR(AddChild(name, directory.entry, child, &part, i, &cursors));
    }
  }
  out_.offsets[directory.entry] = first;
  out_.counts[directory.entry] = static_cast<uint32_t>(out_.size()) - first;
  listing = Listing();
  return Status();
}

Status Assembler::AddChild(std::string_view name, uint32_t parent, const Child& child, ListingPart* part,
                           uint32_t number, Cursors* cursors) {
  const auto entry = static_cast<uint32_t>(out_.size());
  AddEntry(name, parent);
  while (cursors->linked < part->linked.size() && part->linked[cursors->linked].child < number) cursors->linked++;
  if (cursors->linked < part->linked.size() && part->linked[cursors->linked].child == number) {
    const ListingPart::Linked& linked = part->linked[cursors->linked];
    auto added = linked_.emplace(std::make_pair(linked.device, linked.inode), entry);
    if (!added.second) {
      out_.attributes[entry] = Catalogue::kAlias;
      out_.offsets[entry] = added.first->second;
      return Status();
    }
  }
  out_.seconds[entry] = child.seconds;
  out_.nanoseconds[entry] = child.nanoseconds;
  out_.stamps[entry] = child.stamp;
  switch (child.kind) {
    case Child::Kind::kDirectory:
      directories_.push_back({entry, child.place});
      break;
    case Child::Kind::kFile:
      out_.sizes[entry] = child.size;
      out_.content_bytes += child.size;
      if (measures_space_) out_.spaces[entry] = child.place;
      while (cursors->holed < part->holed.size() && part->holed[cursors->holed].child < number) cursors->holed++;
      if (cursors->holed < part->holed.size() && part->holed[cursors->holed].child == number) {
        out_.extent_lists.push_back({entry, child.size, std::move(part->holed[cursors->holed].data)});
      }
      break;
    case Child::Kind::kLink:
      out_.sizes[entry] = child.size;
      out_.offsets[entry] = out_.link_targets.size();
      out_.link_targets.append(part->targets, child.place, child.size);
      break;
    case Child::Kind::kDevice:
      out_.offsets[entry] = child.size >> 32;
      out_.counts[entry] = static_cast<uint32_t>(child.size);
      break;
    case Child::Kind::kOther:
    case Child::Kind::kAbsent:
      break;
  }
  return SetAttributes(entry, child.attributes);
}

void Assembler::AddEntry(std::string_view name, uint32_t parent) {
  out_.name_lengths.push_back(static_cast<uint8_t>(name.size()));
  out_.name_offsets.push_back(out_.names.size());
  out_.names.append(name);
  out_.parents.push_back(parent);
  out_.attributes.push_back(0);
  out_.seconds.push_back(0);
  out_.nanoseconds.push_back(0);
  out_.sizes.push_back(0);
  out_.offsets.push_back(0);
  out_.counts.push_back(0);
  out_.checksums.push_back(0);
  out_.stamps.push_back(0);
  if (measures_space_) out_.spaces.push_back(0);
}

// Rows and sets are numbered in the order of their first use, which does not depend on the walk's timing.
Status Assembler::SetAttributes(uint32_t entry, uint32_t row_number) {
  uint32_t& row = rows_[row_number];
  if (row == kUnset) {
    AttributesRow values = table_.row(row_number);
    if (values.xattrs != format::kNoXattrs) {
      uint32_t& offset = sets_[values.xattrs];
      if (offset == kUnset) {
        const std::string& set = table_.set(values.xattrs);
        if (out_.xattr_sets.size() + set.size() >= format::kNoXattrs) {
          return Status(Code::kUnsupported, "expected less than 4 GiB of extended attributes, found more");
        }
        offset = static_cast<uint32_t>(out_.xattr_sets.size());
        out_.xattr_sets.append(set);
      }
      values.xattrs = offset;
    }
    row = static_cast<uint32_t>(out_.attribute_rows.size());
    out_.attribute_rows.push_back(values);
  }
  out_.attributes[entry] = row;
  return Status();
}

}  // namespace

Status Assemble(std::deque<Listing>* listings, AttributeTable* attributes, const std::vector<Source>& sources,
                bool measures_space, PackCatalogue* out) {
  return Assembler(listings, attributes, sources, measures_space, out).Run();
}

}  // namespace shoal
