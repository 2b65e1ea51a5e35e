#include "fuse/readahead.h"

#include <sys/sysmacros.h>

#include <cstdio>

namespace shoal::fuse {

void RaiseReadahead(dev_t device, uint32_t bytes) {
  char path[64];
  std::snprintf(path, sizeof path, "/sys/class/bdi/%u:%u/read_ahead_kb", major(device), minor(device));
  std::FILE* file = std::fopen(path, "r+e");
  if (file == nullptr) return;
  unsigned kilobytes = 0;
  if (std::fscanf(file, "%u", &kilobytes) == 1 && kilobytes < bytes / 1024) {
    std::rewind(file);
    std::fprintf(file, "%u\n", bytes / 1024);
  }
  std::fclose(file);
}

}  // namespace shoal::fuse
