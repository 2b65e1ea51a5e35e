#include "core/index_reader.h"

#include <sys/stat.h>

#include <algorithm>

#include "core/bytes.h"
#include "core/index_entry.h"

namespace shoal {
namespace {

using format::Section;

constexpr uint32_t kMaxNanoseconds = 999999999;
constexpr uint32_t kMaxMode = S_IFMT | 07777;

uint32_t Word(const uint8_t* words, uint32_t which) { return Load<uint32_t>(words + which * format::kWordStride); }

// FORMAT §4.2 words 2 and 3 as a 48-bit offset and a 16-bit volume.
uint64_t Offset48(const uint8_t* words) { return Word(words, 2) | uint64_t{Word(words, 3) & 0xFFFF} << 32; }
uint32_t Volume16(const uint8_t* words) { return Word(words, 3) >> 16; }

// The lowest 40 bits of words 4 and 5.
uint64_t Size40(const uint8_t* words) { return Word(words, 4) | uint64_t{Word(words, 5) & 0xFF} << 32; }

// Signed, 34 bits, of which word 6 has the two highest.
int64_t Seconds34(const uint8_t* words) {
  const uint64_t bits = uint64_t{Word(words, 6) >> 30} << 32 | Word(words, 7);
  return static_cast<int64_t>(bits << 30) >> 30;
}

uint32_t BitsNeeded(uint32_t value) {
  uint32_t bits = 0;
  for (; value != 0; value >>= 1) bits++;
  return bits;
}

}  // namespace

IndexReader::IndexReader(const IndexMap* map) : map_(map) {
  entry_count_ = static_cast<uint32_t>(map_->section(Section::kEntries).count);
  bucket_count_ = static_cast<uint32_t>(map_->section(Section::kHash).count);
  index_bits_ = std::max<uint32_t>(1, BitsNeeded(entry_count_ - 1));
  tag_bits_ = std::min(format::kTagBits, 32 - index_bits_);
}

Status IndexReader::CheckRoot() const {
  Entry root;
  SHOAL_RETURN_IF_ERROR(Get(0, &root));
  if (!root.IsDirectory()) return MalformedEntry(0, 5, "expected the root to be a directory, found another type");
  std::string_view name;
  SHOAL_RETURN_IF_ERROR(NameBytes(0, &name));
  if (!name.empty()) return MalformedEntry(0, 0, "expected a root without a name, found one");
  Totals totals;
  return DirectoryTotals(root, &totals);
}

Status IndexReader::Get(uint32_t number, Entry* out) const {
  *out = Entry();
  if (number >= entry_count_) {
    return Status(Code::kMalformed,
                  "entry " + std::to_string(number) + ": the index has " + std::to_string(entry_count_) + " entries")
        .At(map_->path());
  }
  const uint64_t at = format::EntryOffset(number);
  const uint8_t* words = map_->At(Section::kEntries, at, format::kEntrySpan);
  if (words == nullptr) return map_->Failure(Section::kEntries, at, format::kEntrySpan);
  out->number = number;

  const uint32_t attributes = Word(words, 5) >> 8;
  if (attributes == format::kAliasAttributes) return Alias(words, out);
  if (attributes == format::kWideAttributes) {
    SHOAL_RETURN_IF_ERROR(Wide(number, out));
  } else {
    SHOAL_RETURN_IF_ERROR(Attributes(attributes, at + 5 * format::kWordStride, out));
    out->seconds = Seconds34(words);
    out->nanoseconds = Word(words, 6) & 0x3FFFFFFF;
    if (out->nanoseconds > kMaxNanoseconds) {
      return MalformedEntry(number, 6,
                            "expected at most 999999999 nanoseconds, found " + std::to_string(out->nanoseconds));
    }
  }

  switch (out->mode & S_IFMT) {
    case S_IFREG:
      return File(words, out);
    case S_IFDIR:
      return Directory(words, out);
    case S_IFLNK: {
      out->size = Size40(words);
      out->offset = Offset48(words);
      const uint64_t length = map_->section(Section::kLinkTargets).length;
      if (out->offset <= length && out->size <= length - out->offset) return Status();
      return MalformedEntry(number, 2,
                            "expected a link target within " + std::to_string(length) + " bytes, found offset " +
                                std::to_string(out->offset) + " and length " + std::to_string(out->size));
    }
    case S_IFCHR:
    case S_IFBLK:
      out->device_major = Word(words, 2);
      out->device_minor = Word(words, 3);
      return Status();
    case S_IFIFO:
    case S_IFSOCK:
      return Status();
    default:
      return MalformedEntry(number, 5, "expected a type of st_mode, found mode " + std::to_string(out->mode));
  }
}

Status IndexReader::Resolve(uint32_t number, Entry* out) const {
  SHOAL_RETURN_IF_ERROR(Get(number, out));
  if (!out->alias) return Status();
  const uint32_t target = out->target;
  SHOAL_RETURN_IF_ERROR(Get(target, out));
  if (!out->alias && !out->IsDirectory()) return Status();
  return MalformedEntry(
      number, 2,
      "expected an alias of an entry that is no alias and no directory, found entry " + std::to_string(target));
}

// `reference` is where in the entry or wide section the row's number stands.
Status IndexReader::Attributes(uint32_t row, uint64_t reference, Entry* out) const {
  const uint64_t at = uint64_t{row} * format::kAttributesRowLength;
  const uint64_t count = map_->section(Section::kAttributes).count;
  if (row >= count) {
    return map_->Malformed(Section::kEntries, reference,
                           "entry " + std::to_string(out->number) + ": expected one of " + std::to_string(count) +
                               " rows of attributes, found row " + std::to_string(row));
  }
  const uint8_t* from = map_->At(Section::kAttributes, at, format::kAttributesRowLength);
  if (from == nullptr) return map_->Failure(Section::kAttributes, at, format::kAttributesRowLength);
  out->mode = Load<uint32_t>(from);
  out->uid = Load<uint32_t>(from + 4);
  out->gid = Load<uint32_t>(from + 8);
  out->nlink = Load<uint32_t>(from + 12);
  out->xattrs = Load<uint32_t>(from + 16);
  if (out->mode <= kMaxMode) return Status();
  return map_->Malformed(Section::kAttributes, at, "expected a mode as in st_mode, found " + std::to_string(out->mode));
}

// FORMAT §4.10. The rows need not be sorted for the search to end.
Status IndexReader::Wide(uint32_t number, Entry* out) const {
  uint64_t low = 0;
  uint64_t high = map_->section(Section::kWide).count;
  while (low < high) {
    const uint64_t middle = low + (high - low) / 2;
    const uint64_t at = middle * format::kWideRowLength;
    const uint8_t* row = map_->At(Section::kWide, at, format::kWideRowLength);
    if (row == nullptr) return map_->Failure(Section::kWide, at, format::kWideRowLength);
    const auto entry = Load<uint32_t>(row);
    if (entry < number) {
      low = middle + 1;
    } else if (entry > number) {
      high = middle;
    } else {
      out->seconds = Load<int64_t>(row + 8);
      out->nanoseconds = Load<uint32_t>(row + 16);
      if (out->seconds > static_cast<int64_t>(format::kMaxNumber) ||
          out->seconds < -static_cast<int64_t>(format::kMaxNumber)) {
        return MalformedEntry(number, 5,
                              "expected an mtime within 2^53 seconds, found " + std::to_string(out->seconds));
      }
      if (out->nanoseconds > kMaxNanoseconds) {
        return map_->Malformed(Section::kWide, at + 16,
                               "expected at most 999999999 nanoseconds, found " + std::to_string(out->nanoseconds));
      }
      return Attributes(Load<uint32_t>(row + 4), format::EntryOffset(number) + 5 * format::kWordStride, out);
    }
  }
  return MalformedEntry(number, 5, "expected a row of it in section wide, found none");
}

Status IndexReader::Alias(const uint8_t* words, Entry* out) const {
  const uint64_t target = Offset48(words);
  if (target >= out->number) {
    return MalformedEntry(out->number, 2, "expected an alias of a lower entry, found entry " + std::to_string(target));
  }
  out->alias = true;
  out->target = static_cast<uint32_t>(target);
  return Status();
}

Status IndexReader::File(const uint8_t* words, Entry* out) const {
  out->size = Size40(words);
  out->offset = Offset48(words);
  out->volume = Volume16(words);
  out->checksum = Word(words, 1);
  if (out->volume == format::kExtentListVolume) {
    uint32_t rows;
    return ListHeader(*out, &out->size, &rows);
  }
  const uint64_t volumes = map_->section(Section::kVolumes).count;
  if (out->size == 0 || out->volume < volumes) return Status();
  return MalformedEntry(
      out->number, 3,
      "expected one of " + std::to_string(volumes) + " volumes, found volume " + std::to_string(out->volume));
}

Status IndexReader::Directory(const uint8_t* words, Entry* out) const {
  out->parent = Word(words, 1);
  out->first_child = Word(words, 2);
  out->child_count = Word(words, 3);
  // A parent stands before its children, so no chain of parents or children comes back.
  if (out->number == 0 ? out->parent != 0 : out->parent >= out->number) {
    return MalformedEntry(out->number, 1, "expected a parent before it, found entry " + std::to_string(out->parent));
  }
  if (out->first_child <= out->number || out->first_child > entry_count_ ||
      out->child_count > entry_count_ - out->first_child) {
    return MalformedEntry(out->number, 2,
                          "expected children behind it within " + std::to_string(entry_count_) +
                              " entries, found first " + std::to_string(out->first_child) + " and count " +
                              std::to_string(out->child_count));
  }
  const uint64_t row = Size40(words);
  const uint64_t rows = map_->section(Section::kDirectories).count;
  if (row >= rows) {
    return MalformedEntry(
        out->number, 4,
        "expected one of " + std::to_string(rows) + " rows of directories, found row " + std::to_string(row));
  }
  out->directory_row = static_cast<uint32_t>(row);
  return Status();
}

Status IndexReader::MalformedEntry(uint32_t number, uint32_t word, const std::string& message) const {
  return map_->Malformed(Section::kEntries, format::EntryOffset(number) + word * format::kWordStride,
                         "entry " + std::to_string(number) + ": " + message);
}

}  // namespace shoal
