// Decompression of one zstd frame (RFC 8878) whose length is known.
#pragma once

#include <cstddef>
#include <cstdint>

#include "status.h"

namespace shoal {

// Decompresses the frame that fills `from` into exactly `length` bytes. kChecksum: it is damaged; the message says what
// was expected and found. Writes nothing behind `to + length` and takes the same memory whatever the frame says of
// itself. Each thread keeps what it needs for it. Does not allocate otherwise, unless it fails.
Status DecompressFrame(const uint8_t* from, size_t size, uint8_t* to, size_t length);

}  // namespace shoal
