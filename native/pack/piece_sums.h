// The checksums of a volume's pieces (FORMAT §4.13), joined from those of the runs in which it was written, so that
// nothing is read again for them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <vector>

#include "core/status.h"

namespace shoal {

class PieceSums {
 public:
  // Lies within one piece.
  struct Run {
    uint64_t offset;
    uint32_t size;
    uint32_t checksum;
  };

  // Bytes written at `offset`, whose runs are appended to *runs; from any thread, in any order.
  void Add(uint64_t offset, const char* data, size_t size, std::vector<Run>* runs = nullptr);
  // What an earlier call gave.
  void Add(const std::vector<Run>& runs);

  // One row for each piece of the first `length` bytes of the volume, the last one maybe shorter. kInternal where a
  // byte of them was not added, or twice. Not while others add.
  Status Rows(uint64_t length, std::vector<uint32_t>* out);

 private:
  std::mutex mutex_;
  std::vector<Run> runs_;
};

}  // namespace shoal
