// IndexReader's answers about names: FORMAT §4.3, §4.4 and the search for parents of §4.7.
#include <cstring>

#include "core/bytes.h"
#include "core/index_entry.h"
#include "core/index_reader.h"
#include "core/murmur3.h"

namespace shoal {
namespace {

using format::Section;

bool IsName(std::string_view name) {
  return !name.empty() && name != "." && name != ".." && std::memchr(name.data(), '/', name.size()) == nullptr &&
         std::memchr(name.data(), 0, name.size()) == nullptr;
}

}  // namespace

Status IndexReader::Name(uint32_t number, std::string_view* out) const {
  if (number >= entry_count_) {
    Entry none;
    return Get(number, &none);
  }
  SHOAL_RETURN_IF_ERROR(NameBytes(number, out));
  return number == 0 ? Status() : CheckName(number, *out);
}

Status IndexReader::Parent(uint32_t number, uint32_t* out) const {
  Entry entry;
  SHOAL_RETURN_IF_ERROR(Get(number, &entry));
  *out = 0;
  if (number == 0) return Status();
  if (entry.IsDirectory()) {
    *out = entry.parent;
  } else {
    // The last row with firstChild ≤ number.
    uint64_t low = 0;
    uint64_t high = map_->section(Section::kDirectories).count;
    while (low < high) {
      const uint64_t middle = low + (high - low) / 2;
      const uint8_t* row;
      SHOAL_RETURN_IF_ERROR(DirectoryRow(middle, &row));
      if (Load<uint32_t>(row + 4) <= number) {
        *out = Load<uint32_t>(row);
        low = middle + 1;
      } else {
        high = middle;
      }
    }
  }
  if (*out < number) {
    Entry parent;
    SHOAL_RETURN_IF_ERROR(Get(*out, &parent));
    if (parent.IsDirectory() && number - parent.first_child < parent.child_count) return Status();
  }
  return MalformedEntry(number, 1, "expected a directory that holds it, found entry " + std::to_string(*out));
}

Status IndexReader::Path(uint32_t number, std::string* out) const {
  std::vector<std::string_view> names;
  uint32_t entry = number;
  do {  // ends, because a parent's number is lower than its child's
    std::string_view name;
    SHOAL_RETURN_IF_ERROR(Name(entry, &name));
    names.push_back(name);
    SHOAL_RETURN_IF_ERROR(Parent(entry, &entry));
  } while (entry != 0);
  out->clear();
  for (size_t i = names.size(); i-- > 0;) {
    out->append(names[i]);
    if (i != 0) out->push_back('/');
  }
  return Status();
}

Status IndexReader::Lookup(const Entry& directory, std::string_view name, uint32_t* out) const {
  *out = IndexView::kNone;
  if (name.size() > format::kMaxNameLength) return Status();
  const uint32_t hash = Murmur3(name.data(), name.size(), directory.number);
  const uint32_t spread = hash * format::kTagMultiplier;
  const uint32_t want = tag_bits_ == 0 ? 0 : spread >> (32 - tag_bits_);
  const uint64_t index_mask = (uint64_t{1} << index_bits_) - 1;

  uint32_t bucket = hash % bucket_count_;
  for (uint32_t probed = 0; probed < bucket_count_; probed++) {
    const uint64_t at = uint64_t{bucket} * format::kBucketLength;
    const uint8_t* slots = map_->At(Section::kHash, at, format::kBucketLength);
    if (slots == nullptr) return map_->Failure(Section::kHash, at, format::kBucketLength);
    for (uint32_t i = 0; i < format::kBucketSlots; i++) {
      const uint64_t slot = Load<uint32_t>(slots + i * 4);
      if (slot == 0) return Status();
      if (slot >> index_bits_ != want) continue;
      const auto candidate = static_cast<uint32_t>(slot & index_mask);
      if (candidate - directory.first_child >= directory.child_count) continue;
      Prefetch(candidate);
      std::string_view found;
      SHOAL_RETURN_IF_ERROR(NameBytes(candidate, &found));
      if (found != name) continue;
      SHOAL_RETURN_IF_ERROR(CheckName(candidate, found));
      *out = candidate;
      return Status();
    }
    bucket = bucket + 1 == bucket_count_ ? 0 : bucket + 1;
  }
  return Status();
}

Status IndexReader::HasName(uint32_t number, std::string_view name, bool* out) const {
  Prefetch(number);
  std::string_view found;
  SHOAL_RETURN_IF_ERROR(Name(number, &found));
  *out = found == name;
  return Status();
}

// Who looks a name up asks for its entry next: the entry's words come while its name is still compared.
inline void IndexReader::Prefetch(uint32_t number) const {
  const uint8_t* words = map_->At(Section::kEntries, format::EntryOffset(number), format::kEntrySpan);
  if (words == nullptr) return;
  for (uint32_t word = 1; word < format::kEntryWords; word++) __builtin_prefetch(words + word * format::kWordStride);
}

// The name as it stands. `number` is below entry_count_.
Status IndexReader::NameBytes(uint32_t number, std::string_view* out) const {
  const uint64_t at = format::EntryOffset(number);
  const uint8_t* word = map_->At(Section::kEntries, at, 4);
  if (word == nullptr) return map_->Failure(Section::kEntries, at, 4);
  const uint64_t group_at = uint64_t{number / format::kNameGroupEntries} * 8;
  const uint8_t* group = map_->At(Section::kNameGroups, group_at, 8);
  if (group == nullptr) return map_->Failure(Section::kNameGroups, group_at, 8);

  const auto packed = Load<uint32_t>(word);
  const uint32_t length = packed >> 24;
  const auto group_offset = Load<uint64_t>(group);
  const uint64_t limit = map_->section(Section::kNames).length;
  if (group_offset > limit) {
    return map_->Malformed(
        Section::kNameGroups, group_at,
        "expected an offset in " + std::to_string(limit) + " bytes of names, found " + std::to_string(group_offset));
  }
  const uint64_t name_at = group_offset + (packed & 0xFFFFFF);
  if (name_at > limit || length > limit - name_at) {
    return MalformedEntry(number, 0,
                          "expected a name in " + std::to_string(limit) + " bytes of names, found offset " +
                              std::to_string(name_at) + " and length " + std::to_string(length));
  }
  const uint8_t* name = map_->At(Section::kNames, name_at, length);
  if (name == nullptr) return map_->Failure(Section::kNames, name_at, length);
  *out = std::string_view(reinterpret_cast<const char*>(name), length);
  return Status();
}

// Names that the kernel or extraction would take for something else must not leave the index.
Status IndexReader::CheckName(uint32_t number, std::string_view name) const {
  if (IsName(name)) return Status();
  return MalformedEntry(number, 0,
                        "expected a name that is not empty, no `.` or `..`, and without `/` and NUL, found another");
}

}  // namespace shoal
