// A number that nobody who makes an archive can know.
#pragma once

#include <sys/auxv.h>

#include <cstdint>

#include "bytes.h"

namespace shoal {

// Random bytes that the kernel gives each process: an archive cannot be made whose names all fall into one slot.
inline uint64_t ProcessSeed() {
  const void* random = reinterpret_cast<const void*>(getauxval(AT_RANDOM));
  return random == nullptr ? 0x243F6A8885A308D3 : Load<uint64_t>(random);
}

}  // namespace shoal
