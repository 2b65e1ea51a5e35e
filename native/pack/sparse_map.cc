#include "pack/sparse_map.h"

#include <algorithm>

#include "pack/decimal.h"
#include "pack/tar_fields.h"

namespace shoal::tar {
namespace {

using std::string_view;

// Some four million rows; a map is read whole before anything can be said of it.
constexpr uint64_t kLongestMap = 64 << 20;
constexpr size_t kPiece = 4096;

Status Damaged(TarWindow* window, uint64_t offset, const std::string& message) {
  return Status(Code::kMalformed, message + "; the archive is damaged")
      .At(window->path(), static_cast<int64_t>(offset));
}

// Takes numbers in turn: how many rows, then offset and length of each.
class LineParser {
 public:
  explicit LineParser(SparseMap* map) : map_(map) {}
  bool done() const { return has_count_ && rows_left_ == 0; }

  const char* Take(uint64_t number) {
    if (!has_count_) {
      has_count_ = true;
      rows_left_ = number;
      return nullptr;
    }
    if (!has_offset_) {
      has_offset_ = true;
      offset_ = number;
      return nullptr;
    }
    has_offset_ = false;
    rows_left_--;
    return map_->Add(offset_, number);
  }

 private:
  SparseMap* map_;
  bool has_count_ = false;
  bool has_offset_ = false;
  uint64_t rows_left_ = 0;
  uint64_t offset_ = 0;
};

const char* AddRows(const uint8_t* rows, size_t count, SparseMap* map) {
  for (size_t i = 0; i < count; i++) {
    int64_t offset;
    int64_t length;
    if (!Number(rows, {i * kGnuSparseRow, 12}, &offset) || !Number(rows, {i * kGnuSparseRow + 12, 12}, &length) ||
        offset < 0 || length < 0) {
      return "expected numbers in the sparse map, found something else";
    }
    if (const char* wrong = map->Add(static_cast<uint64_t>(offset), static_cast<uint64_t>(length))) return wrong;
  }
  return nullptr;
}

}  // namespace

const char* SparseMap::Add(uint64_t offset, uint64_t length) {
  if (offset > real_size_ || length > real_size_ - offset)
    return "expected a sparse map within the file, found a row beyond its end";
  if (length == 0) return nullptr;
  if (offset < end_) return "expected a sparse map in ascending order, found a row before the end of the last one";
  if (!extents_.empty() && offset == end_) {
    extents_.back().length += length;
  } else {
    Extent extent;
    extent.file_offset = offset;
    extent.length = length;
    extent.offset = data_length_;
    extents_.push_back(extent);
  }
  end_ = offset + length;
  data_length_ += length;
  return nullptr;
}

const char* SparseMap::Place(uint64_t data_offset, uint64_t stored) {
  if (data_length_ > stored) return "expected as much data as the sparse map says, found less";
  for (Extent& extent : extents_) extent.offset += data_offset;
  return nullptr;
}

const char* ReadSparseText(string_view rows, uint64_t row_count, SparseMap* map) {
  const auto take = [&rows](uint64_t* number) {
    const size_t end = std::min(rows.find(','), rows.size());
    const bool good = ParseDecimal(rows.substr(0, end), number);
    rows.remove_prefix(std::min(end + 1, rows.size()));
    return good;
  };
  for (; row_count > 0; row_count--) {
    uint64_t offset;
    uint64_t length;
    if (!take(&offset) || !take(&length))
      return "expected as many rows of the sparse map as GNU.sparse.numblocks says, found fewer";
    if (const char* wrong = map->Add(offset, length)) return wrong;
  }
  return rows.empty() ? nullptr : "expected as many rows of the sparse map as GNU.sparse.numblocks says, found more";
}

Status ReadSparseLines(TarWindow* window, uint64_t* data_offset, uint64_t* stored, SparseMap* map) {
  LineParser parser(map);
  uint64_t number = 0;
  size_t digits = 0;
  uint64_t length = 0;
  while (!parser.done()) {
    const size_t piece = static_cast<size_t>(std::min({uint64_t{kPiece}, *stored - length, kLongestMap - length}));
    if (piece == 0)
      return Damaged(window, *data_offset, "expected the end of the sparse map within the member and within 64 MiB");
    const uint8_t* bytes;
    SHOAL_RETURN_IF_ERROR(window->View(*data_offset + length, piece, &bytes));
    for (size_t i = 0; i < piece && !parser.done(); i++, length++) {
      const char* wrong = nullptr;
      if (bytes[i] >= '0' && bytes[i] <= '9' && digits < 18) {
        number = number * 10 + (bytes[i] - '0');
        digits++;
      } else if (bytes[i] == '\n' && digits > 0) {
        wrong = parser.Take(number);
        number = 0;
        digits = 0;
      } else {
        wrong = "expected a sparse map of decimal numbers, one a line, found something else";
      }
      if (wrong != nullptr) return Damaged(window, *data_offset + length, wrong);
    }
  }
  const uint64_t padded = std::min(Blocks(length), *stored);
  *data_offset += padded;
  *stored -= padded;
  return Status();
}

Status ReadSparseBlocks(TarWindow* window, const uint8_t* header, uint64_t* data_offset, SparseMap* map) {
  if (const char* wrong = AddRows(header + kGnuSparseRows, 4, map)) return Damaged(window, *data_offset, wrong);
  bool more = header[kGnuSparseMore] != 0;
  for (uint64_t length = 0; more; length += kBlock) {
    if (length >= kLongestMap)
      return Damaged(window, *data_offset, "expected a sparse map of at most 64 MiB, found a longer one");
    const uint8_t* block;
    SHOAL_RETURN_IF_ERROR(window->View(*data_offset, kBlock, &block));
    if (const char* wrong = AddRows(block, kGnuExtensionRows, map)) return Damaged(window, *data_offset, wrong);
    more = block[kGnuExtensionMore] != 0;
    *data_offset += kBlock;
  }
  return Status();
}

}  // namespace shoal::tar
