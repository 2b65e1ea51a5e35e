// Holds whole volumes, files or not, against the checksums of their pieces (FORMAT §4.13).
#pragma once

#include <cstdint>
#include <mutex>
#include <vector>

#include "core/catalogue.h"
#include "core/image.h"

namespace shoal {

class PieceCheck {
 public:
  struct Piece {
    size_t volume = 0;
    uint64_t row = 0;  // in the section
    uint64_t offset = 0;
    size_t size = 0;
  };

  explicit PieceCheck(const Image& image);

  // The next piece that ends at or before `end` in `volume`, or lies in a volume before it; false if there is none. One
  // caller at a time.
  bool Take(size_t volume, uint64_t end, Piece* out);

  // Reads the piece into `buffer` and checks it. From any thread.
  void Check(const Piece& piece, uint8_t* buffer);

  // Volumes of which the index has no checksums of pieces.
  uint64_t unframed_volumes() const { return unframed_volumes_; }

  // After the last Check: what was found, in order.
  std::vector<Problem> TakeProblems();

 private:
  Status ReadAndCompare(const Piece& piece, uint8_t* buffer) const;
  bool HasPieces(size_t volume) const;

  const Image& image_;
  Piece next_;  // `size` unused
  uint64_t unframed_volumes_ = 0;

  struct Found {
    uint64_t row;
    Problem problem;
  };
  std::mutex mutex_;
  std::vector<Found> found_;
};

}  // namespace shoal
