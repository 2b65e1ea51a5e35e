// Walks trees with several threads. No file's content is read; nothing is followed but the sources themselves.
#pragma once

#include <memory>
#include <vector>

#include "core/progress.h"
#include "pack/pack_catalogue.h"
#include "pack/walk_options.h"

namespace shoal {

struct Walked {
  std::shared_ptr<PackCatalogue> catalogue;
  std::vector<Problem> skipped;     // left out on purpose: sockets, what mount points show with one_file_system
  std::vector<Problem> notices;     // packed, but maybe not what was thought of: what mount points show
  std::vector<Problem> unreadable;  // the catalogue lacks them
  uint64_t excluded = 0;            // names that a pattern matched
};

// One directory: its contents are the root. Several sources, or a file: each stands under its base name in a root made
// up (mode 0755, the caller's uid and gid, mtime 0). The catalogue is in index order, without checksums, and files have
// no offsets yet. Advances entries_done and bytes_done (content of files). The same tree gives the same catalogue,
// whatever the number of threads is.
Status Walk(const WalkOptions& options, Progress* progress, Walked* out);

}  // namespace shoal
