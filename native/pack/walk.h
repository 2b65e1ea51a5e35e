// Walks trees with several threads. No file's content is read; nothing is followed but the sources themselves.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/progress.h"
#include "pack/pack_catalogue.h"

namespace shoal {

struct Walked {
  std::shared_ptr<PackCatalogue> catalogue;
  std::vector<Problem> skipped;     // sockets
  std::vector<Problem> unreadable;  // the catalogue lacks them
};

// One directory: its contents are the root. Several sources, or a file: each stands under its base name in a root made
// up (mode 0755, the caller's uid and gid, mtime 0). The catalogue is in index order, without checksums, and files have
// no offsets yet. Advances entries_done and bytes_done (content of files). The same tree gives the same catalogue,
// whatever `jobs` is.
Status Walk(const std::vector<std::string>& sources, unsigned jobs, Progress* progress, Walked* out);

}  // namespace shoal
