// IndexReader's answers about what entries hold: FORMAT §4.6 to §4.9.
#include <cstring>

#include "core/bytes.h"
#include "core/index_entry.h"
#include "core/index_reader.h"

namespace shoal {
namespace {

using format::Section;

// Of a set of attributes.
constexpr uint64_t kCountLength = 4;
constexpr uint64_t kLengthsLength = 6;  // u16 of the name, u32 of the value

std::string_view View(const uint8_t* data, uint64_t size) { return {reinterpret_cast<const char*>(data), size}; }

}  // namespace

Status IndexReader::LinkTarget(const Entry& link, std::string_view* out) const {
  if (!link.IsSymlink()) return Status(Code::kUsage, "entry " + std::to_string(link.number) + " is no symbolic link");
  const uint8_t* target = map_->At(Section::kLinkTargets, link.offset, link.size);
  if (target == nullptr) return map_->Failure(Section::kLinkTargets, link.offset, link.size);
  if (std::memchr(target, 0, link.size) != nullptr) {
    return map_->Malformed(Section::kLinkTargets, link.offset,
                           "entry " + std::to_string(link.number) + ": expected a link target without NUL, found one");
  }
  *out = View(target, link.size);
  return Status();
}

Status IndexReader::Extents(const Entry& file, std::vector<Extent>* out) const {
  out->clear();
  if (!file.IsFile()) return Status(Code::kUsage, "entry " + std::to_string(file.number) + " is no file");
  if (file.volume != format::kExtentListVolume) {
    if (file.size == 0) return Status();
    out->push_back({0, file.size, file.offset, file.volume});
    return CheckExtent(out->back(), Section::kEntries, format::EntryOffset(file.number) + 2 * format::kWordStride);
  }

  uint64_t size;
  uint32_t count;
  SHOAL_RETURN_IF_ERROR(ListHeader(file, &size, &count));
  const uint64_t rows_at = file.offset + format::kExtentListHeaderLength;
  const uint64_t rows_length = uint64_t{count} * format::kExtentRowLength;
  const uint8_t* rows = map_->At(Section::kExtents, rows_at, rows_length);
  if (rows == nullptr) return map_->Failure(Section::kExtents, rows_at, rows_length);
  out->reserve(count);
  uint64_t end = 0;  // of the rows so far, in the content
  for (uint32_t i = 0; i < count; i++) {
    const uint8_t* row = rows + uint64_t{i} * format::kExtentRowLength;
    const uint64_t row_at = rows_at + uint64_t{i} * format::kExtentRowLength;
    const Extent extent = {Load<uint64_t>(row), Load<uint64_t>(row + 8), Load<uint64_t>(row + 16),
                           Load<uint32_t>(row + 24)};
    if (extent.file_offset < end || extent.file_offset > size || extent.length == 0 ||
        extent.length > size - extent.file_offset) {
      return map_->Malformed(Section::kExtents, row_at,
                             "entry " + std::to_string(file.number) + ": expected an extent between " +
                                 std::to_string(end) + " and " + std::to_string(size) + ", found offset " +
                                 std::to_string(extent.file_offset) + " and length " + std::to_string(extent.length));
    }
    SHOAL_RETURN_IF_ERROR(CheckExtent(extent, Section::kExtents, row_at + 16));
    end = extent.file_offset + extent.length;
    out->push_back(extent);
  }
  return Status();
}

// Content length and number of rows of an extent list; the rows are within the section.
Status IndexReader::ListHeader(const Entry& file, uint64_t* size, uint32_t* rows) const {
  const uint64_t limit = map_->section(Section::kExtents).length;
  if (file.offset % 8 != 0 || file.offset > limit || limit - file.offset < format::kExtentListHeaderLength) {
    return MalformedEntry(file.number, 2,
                          "expected an extent list at a multiple of 8 within " + std::to_string(limit) +
                              " bytes, found offset " + std::to_string(file.offset));
  }
  const uint8_t* header = map_->At(Section::kExtents, file.offset, format::kExtentListHeaderLength);
  if (header == nullptr) return map_->Failure(Section::kExtents, file.offset, format::kExtentListHeaderLength);
  *rows = Load<uint32_t>(header);
  *size = Load<uint64_t>(header + 8);
  const uint64_t room = (limit - file.offset - format::kExtentListHeaderLength) / format::kExtentRowLength;
  if (*rows > room) {
    return map_->Malformed(Section::kExtents, file.offset,
                           "expected at most " + std::to_string(room) + " extents in the rest of the section, found " +
                               std::to_string(*rows));
  }
  if (*size > format::kMaxNumber) {
    return map_->Malformed(Section::kExtents, file.offset + 8,
                           "expected a content length below 2^53, found " + std::to_string(*size));
  }
  return Status();
}

// That an extent lies within its volume. `at` in section `kind` is where its place stands.
Status IndexReader::CheckExtent(const Extent& extent, Section kind, uint64_t at) const {
  const uint64_t volumes = map_->section(Section::kVolumes).count;
  if (extent.volume >= volumes) {
    return map_->Malformed(
        kind, at,
        "expected one of " + std::to_string(volumes) + " volumes, found volume " + std::to_string(extent.volume));
  }
  uint64_t length;
  SHOAL_RETURN_IF_ERROR(PlainLength(extent.volume, &length));
  if (extent.offset <= length && extent.length <= length - extent.offset) return Status();
  return map_->Malformed(kind, at,
                         "expected an extent within the " + std::to_string(length) +
                             " bytes of its volume, found offset " + std::to_string(extent.offset) + " and length " +
                             std::to_string(extent.length));
}

Status IndexReader::ChunkChecksum(uint64_t row, uint32_t* out) const { return Checksum(Section::kChecksums, row, out); }

Status IndexReader::PieceChecksum(uint64_t row, uint32_t* out) const { return Checksum(Section::kPieces, row, out); }

Status IndexReader::Checksum(Section kind, uint64_t row, uint32_t* out) const {
  const uint64_t count = map_->section(kind).count;
  if (row >= count) {
    return map_->Malformed(kind, 0,
                           "expected one of " + std::to_string(count) + " checksums, found row " + std::to_string(row));
  }
  const uint8_t* value = map_->At(kind, row * 4, 4);
  if (value == nullptr) return map_->Failure(kind, row * 4, 4);
  *out = Load<uint32_t>(value);
  return Status();
}

Status IndexReader::DirectoryTotals(const Entry& directory, Totals* out) const {
  if (!directory.IsDirectory())
    return Status(Code::kUsage, "entry " + std::to_string(directory.number) + " is no directory");
  const uint8_t* row;
  SHOAL_RETURN_IF_ERROR(DirectoryRow(directory.directory_row, &row));
  const auto entry = Load<uint32_t>(row);
  const auto first_child = Load<uint32_t>(row + 4);
  if (entry != directory.number || first_child != directory.first_child) {
    return map_->Malformed(Section::kDirectories, uint64_t{directory.directory_row} * format::kDirectoryRowLength,
                           "expected the row of entry " + std::to_string(directory.number) + " with first child " +
                               std::to_string(directory.first_child) + ", found entry " + std::to_string(entry) +
                               " with first child " + std::to_string(first_child));
  }
  out->bytes = Load<uint64_t>(row + 8);
  out->entries = Load<uint64_t>(row + 16);
  if (out->bytes <= format::kMaxNumber && out->entries <= format::kMaxNumber - out->bytes) return Status();
  return map_->Malformed(Section::kDirectories, uint64_t{directory.directory_row} * format::kDirectoryRowLength,
                         "expected sums below 2^53, found " + std::to_string(out->bytes) + " bytes and " +
                             std::to_string(out->entries) + " entries");
}

Status IndexReader::DirectoryRow(uint64_t row, const uint8_t** out) const {
  const uint64_t at = row * format::kDirectoryRowLength;
  *out = map_->At(Section::kDirectories, at, format::kDirectoryRowLength);
  return *out != nullptr ? Status() : map_->Failure(Section::kDirectories, at, format::kDirectoryRowLength);
}

Status IndexReader::Xattrs(uint32_t set, std::vector<Xattr>* out) const {
  out->clear();
  if (set == format::kNoXattrs) return Status();
  const uint8_t* header = map_->At(Section::kXattrs, set, kCountLength);
  if (header == nullptr) return map_->Failure(Section::kXattrs, set, kCountLength);
  const auto count = Load<uint32_t>(header);
  uint64_t at = set + kCountLength;
  for (uint32_t i = 0; i < count; i++) {
    const uint8_t* lengths = map_->At(Section::kXattrs, at, kLengthsLength);
    if (lengths == nullptr) return map_->Failure(Section::kXattrs, at, kLengthsLength);
    const auto name_length = Load<uint16_t>(lengths);
    const auto value_length = Load<uint32_t>(lengths + 2);
    const uint64_t both = uint64_t{name_length} + value_length;
    const uint8_t* bytes = map_->At(Section::kXattrs, at + kLengthsLength, both);
    if (bytes == nullptr) return map_->Failure(Section::kXattrs, at + kLengthsLength, both);
    if (name_length == 0 || std::memchr(bytes, 0, name_length) != nullptr) {
      return map_->Malformed(Section::kXattrs, at,
                             "expected an attribute's name that is not empty and without NUL, found another");
    }
    out->push_back({View(bytes, name_length), View(bytes + name_length, value_length)});
    at += kLengthsLength + both;
  }
  return Status();
}

// Sets stand back to back.
Status IndexReader::MayHaveAcls(bool* out) const {
  constexpr int kSetsLookedAt = 4096;
  constexpr std::string_view kAcl = "system.posix_acl_";
  const uint64_t end = map_->section(Section::kXattrs).length;
  std::vector<Xattr> xattrs;
  uint64_t at = 0;
  *out = false;
  for (int sets = 0; at < end && !*out; sets++) {
    SHOAL_RETURN_IF_ERROR(Xattrs(static_cast<uint32_t>(at), &xattrs));
    *out = sets == kSetsLookedAt;
    at += kCountLength;
    for (const Xattr& xattr : xattrs) {
      *out = *out || xattr.name.substr(0, kAcl.size()) == kAcl;
      at += kLengthsLength + xattr.name.size() + xattr.value.size();
    }
  }
  return Status();
}

}  // namespace shoal
