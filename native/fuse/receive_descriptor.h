// A message with a descriptor, from another process (SCM_RIGHTS of unix(7)).
#pragma once

#include <sys/types.h>

#include <cstddef>

#include "core/file.h"

namespace shoal::fuse {

// Receives one message of up to `size` bytes; as recvmsg(2), but for EINTR. *descriptor stays as it is if none came.
ssize_t ReceiveDescriptor(int socket, void* bytes, size_t size, UniqueFd* descriptor);

}  // namespace shoal::fuse
