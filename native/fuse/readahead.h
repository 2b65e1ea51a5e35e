// How far the kernel reads ahead of programs that read a file of a mount from start to end.
#pragma once

#include <sys/types.h>

#include <cstdint>

namespace shoal::fuse {

// Raises it to `bytes` for the mount with this device number, so that one READ asks for more than the 128 KiB that INIT
// can agree on. Only root may; for others, and where it is larger already, it stays.
void RaiseReadahead(dev_t device, uint32_t bytes);

}  // namespace shoal::fuse
