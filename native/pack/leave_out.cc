#include "pack/leave_out.h"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "core/bytes.h"
#include "core/format.h"

namespace shoal {
namespace {

class Remover {
 public:
  Remover(PackCatalogue* catalogue, std::vector<uint32_t> entries)
      : catalogue_(*catalogue), removed_(std::move(entries)) {}

  void Run(std::vector<Problem>* others);

 private:
  void RemoveOtherNames(std::vector<Problem>* others);
  bool IsRemoved(uint32_t entry) const { return std::binary_search(removed_.begin(), removed_.end(), entry); }
  // The number that an entry gets; of one that is removed, that of the next which stays.
  uint32_t NumberOf(uint32_t entry) const {
    return entry - static_cast<uint32_t>(std::lower_bound(removed_.begin(), removed_.end(), entry) - removed_.begin());
  }
  void RemoveSources();
  void RemoveLinkTargets();
  void Renumber();
  void MoveDown();
  void NumberAttributes();

  PackCatalogue& catalogue_;
  std::vector<uint32_t> removed_;  // sorted
};

void Remover::Run(std::vector<Problem>* others) {
  std::sort(removed_.begin(), removed_.end());
  if (others != nullptr) RemoveOtherNames(others);
  for (uint32_t entry : removed_) {
    if (catalogue_.IsFile(entry)) catalogue_.content_bytes -= catalogue_.sizes[entry];
  }
  RemoveSources();
  RemoveLinkTargets();
  Renumber();
  MoveDown();
  NumberAttributes();
  std::fill(catalogue_.checksums.begin(), catalogue_.checksums.end(), 0);
  catalogue_.chunk_checksums.clear();
  catalogue_.has_checksums = false;
  catalogue_.pieces.clear();
  catalogue_.sinks.clear();
  catalogue_.originals.clear();
  catalogue_.plan = Plan();
}

void Remover::RemoveOtherNames(std::vector<Problem>* others) {
  std::vector<uint32_t> names;
  for (uint32_t entry = 0; entry < catalogue_.size(); entry++) {
    if (!catalogue_.IsAlias(entry)) continue;
    const auto target = static_cast<uint32_t>(catalogue_.offsets[entry]);
    if (!IsRemoved(target)) continue;
    names.push_back(entry);
    others->push_back({Code::kChanged, catalogue_.SourcePath(entry),
                       "is another name of " + catalogue_.SourcePath(target) + ", which was left out"});
  }
  removed_.insert(removed_.end(), names.begin(), names.end());
  std::sort(removed_.begin(), removed_.end());
}

// Each is an entry of the root.
void Remover::RemoveSources() {
  if (!catalogue_.made_up_root) return;
  std::vector<Source> kept;
  for (uint32_t i = 0; i < catalogue_.sources.size(); i++) {
    if (!IsRemoved(i + 1)) kept.push_back(std::move(catalogue_.sources[i]));
  }
  catalogue_.sources = std::move(kept);
}

void Remover::RemoveLinkTargets() {
  std::string targets;
  for (uint32_t entry = 0; entry < catalogue_.size(); entry++) {
    if (catalogue_.IsAlias(entry) || !S_ISLNK(catalogue_.Row(entry).mode) || IsRemoved(entry)) continue;
    const uint64_t offset = targets.size();
    targets.append(catalogue_.link_targets, catalogue_.offsets[entry], catalogue_.sizes[entry]);
    catalogue_.offsets[entry] = offset;
  }
  catalogue_.link_targets = std::move(targets);
}

void Remover::Renumber() {
  for (uint32_t entry = 0; entry < catalogue_.size(); entry++) {
    catalogue_.parents[entry] = NumberOf(catalogue_.parents[entry]);
    if (catalogue_.IsAlias(entry)) {
      catalogue_.offsets[entry] = NumberOf(static_cast<uint32_t>(catalogue_.offsets[entry]));
    } else if (catalogue_.IsDirectory(entry)) {
      const auto first = static_cast<uint32_t>(catalogue_.offsets[entry]);
      catalogue_.counts[entry] = NumberOf(first + catalogue_.counts[entry]) - NumberOf(first);
      catalogue_.offsets[entry] = NumberOf(first);
    } else if (catalogue_.IsFile(entry)) {
      catalogue_.offsets[entry] = 0;
    }
  }
  auto& lists = catalogue_.extent_lists;
  lists.erase(std::remove_if(lists.begin(), lists.end(), [&](const ExtentList& list) { return IsRemoved(list.entry); }),
              lists.end());
  for (ExtentList& list : lists) list.entry = NumberOf(list.entry);
}

// Closes the gaps in the columns.
void Remover::MoveDown() {
  auto close = [&](auto* column) {
    if (column->empty()) return;
    size_t to = 0;
    auto next = removed_.begin();
    for (size_t from = 0; from < column->size(); from++) {
      if (next != removed_.end() && *next == from) {
        next++;
      } else {
        (*column)[to++] = (*column)[from];
      }
    }
    column->resize(to);
  };
  std::string names;
  names.reserve(catalogue_.names.size());
  auto next = removed_.begin();
  for (uint32_t entry = 0; entry < catalogue_.size(); entry++) {
    if (next != removed_.end() && *next == entry) {
      next++;
      continue;
    }
    const std::string_view name = catalogue_.name(entry);
    catalogue_.name_offsets[entry] = names.size();
    names.append(name);
  }
  catalogue_.names = std::move(names);
  close(&catalogue_.name_offsets);
  close(&catalogue_.name_lengths);
  close(&catalogue_.parents);
  close(&catalogue_.attributes);
  close(&catalogue_.seconds);
  close(&catalogue_.nanoseconds);
  close(&catalogue_.sizes);
  close(&catalogue_.offsets);
  close(&catalogue_.volumes);
  close(&catalogue_.counts);
  close(&catalogue_.checksums);
  close(&catalogue_.stamps);
  close(&catalogue_.spaces);
}

// FORMAT §4.6: a count, and for each attribute u16 and u32 lengths of its name and value before them.
size_t SetLength(const char* set) {
  constexpr size_t kCount = 4, kLengths = 6;
  size_t length = kCount;
  for (uint32_t left = Load<uint32_t>(set); left > 0; left--) {
    length += kLengths + Load<uint16_t>(set + length) + Load<uint32_t>(set + length + 2);
  }
  return length;
}

// Rows and sets stand in the order of their first use.
void Remover::NumberAttributes() {
  std::unordered_map<uint32_t, uint32_t> row_numbers, set_offsets;
  std::vector<AttributesRow> rows;
  std::string sets;
  for (uint32_t& attributes : catalogue_.attributes) {
    if (attributes == Catalogue::kAlias) continue;
    const auto row = row_numbers.emplace(attributes, static_cast<uint32_t>(rows.size()));
    if (row.second) {
      AttributesRow& added = rows.emplace_back(catalogue_.attribute_rows[attributes]);
      if (added.xattrs != format::kNoXattrs) {
        const auto set = set_offsets.emplace(added.xattrs, static_cast<uint32_t>(sets.size()));
        const char* bytes = catalogue_.xattr_sets.data() + added.xattrs;
        if (set.second) sets.append(bytes, SetLength(bytes));
        added.xattrs = set.first->second;
      }
    }
    attributes = row.first->second;
  }
  catalogue_.attribute_rows = std::move(rows);
  catalogue_.xattr_sets = std::move(sets);
}

}  // namespace

void LeaveOut(PackCatalogue* catalogue, std::vector<uint32_t> entries, std::vector<Problem>* others) {
  Remover(catalogue, std::move(entries)).Run(others);
}

}  // namespace shoal
