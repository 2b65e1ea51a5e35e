// What a file lies on.
#pragma once

#include <cstdint>

namespace shoal {

// Local: the kernel's page cache serves well, reads ahead, and gives no bytes that it did not get. Network: each read
// may be a round trip, errors pass, other machines may change the file.
enum class StorageKind : uint8_t { kLocal, kNetwork };

// By the type of its filesystem (statfs(2)). A type that is not known to be local is kNetwork.
StorageKind KindOfStorage(int fd);

}  // namespace shoal
