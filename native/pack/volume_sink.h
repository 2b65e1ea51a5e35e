// Where the bytes of a volume go.
#pragma once

#include <cstddef>
#include <cstdint>

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
};

}  // namespace shoal
