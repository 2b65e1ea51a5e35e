// Where the bytes of a volume go.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/seek_table.h"
#include "core/status.h"

namespace shoal {

class VolumeSink {
 public:
  VolumeSink() = default;
  VolumeSink(const VolumeSink&) = delete;
  VolumeSink& operator=(const VolumeSink&) = delete;
  virtual ~VolumeSink() = default;

  // `offset` is that in the tar. From any thread, in any order.
  virtual Status Write(uint64_t offset, const char* data, size_t size) = 0;
  // Up to where all bytes of the tar are in the file, though maybe not durable. Of a compressed volume, *offsets are
  // where its frames from the one numbered `first` on begin, of those that are in the file, and where the last of them
  // ends; else they are none, and nobody needs to know more than that Write returned. From any thread.
  virtual uint64_t Written(uint64_t first, std::vector<uint64_t>* offsets) {
    offsets->clear();
    return UINT64_MAX;
  }
  // Holds no descriptor until the next Write. Not while others write.
  virtual void Rest() = 0;
  // When all is written: makes it durable.
  virtual Status Sync() = 0;
  // After Sync, of a compressed volume: where its frames lie. Else nullptr.
  virtual const SeekTable* frames() const { return nullptr; }
};

}  // namespace shoal
