// Where the data of a sparse tar member belongs in its content. Formats: GNU tar manual, "Storing Sparse Files".
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "core/index_view.h"
#include "core/status.h"
#include "pack/tar_window.h"

namespace shoal::tar {

// Collects rows as the archive gives them and holds each against those before.
class SparseMap {
 public:
  explicit SparseMap(uint64_t real_size) : real_size_(real_size) {}

  // nullptr, or what is wrong with the row: rows ascend, do not overlap and end within the content. One of length 0
  // (GNU tar closes a map with it) is dropped; one that goes on where the last one ended is joined to it.
  const char* Add(uint64_t offset, uint64_t length);

  // Lets the extents begin at `data_offset` in the volume. nullptr, or what is wrong: the rows need more than the
  // `stored` bytes there.
  const char* Place(uint64_t data_offset, uint64_t stored);

  uint64_t real_size() const { return real_size_; }
  bool HasHoles() const { return real_size_ != 0 && (extents_.empty() || extents_[0].length != real_size_); }
  std::vector<Extent>& extents() { return extents_; }

 private:
  uint64_t real_size_;
  uint64_t data_length_ = 0;  // of all rows
  uint64_t end_ = 0;          // of the last row, in the content
  std::vector<Extent> extents_;
};

// Pax formats 0.0 and 0.1: "offset,length,offset,length". nullptr, or what is wrong.
const char* ReadSparseText(std::string_view rows, uint64_t row_count, SparseMap* map);

// Pax format 1.0: lines at the beginning of the member's data, which has `stored` bytes at *data_offset: the number of
// rows, then offset and length of each. Moves *data_offset and *stored behind them and their padding.
Status ReadSparseLines(TarWindow* window, uint64_t* data_offset, uint64_t* stored, SparseMap* map);

// Old GNU format: rows in `header` (a copy of the member's block), then in as many blocks at *data_offset as say that
// one more follows, behind which it moves.
Status ReadSparseBlocks(TarWindow* window, const uint8_t* header, uint64_t* data_offset, SparseMap* map);

}  // namespace shoal::tar
