// Checks an index as a whole: what no single question to it would notice.
#pragma once

#include <cstdint>
#include <vector>

#include "core/index_view.h"
#include "core/progress.h"
#include "unpack/problem_list.h"

namespace shoal {

struct IndexSummary {
  std::vector<uint32_t> files;  // regular files that are no aliases, in index order
  uint64_t content_bytes = 0;   // of those
};

// Every block matches its checksum; every entry is well-formed and the child of exactly one directory; the names of a
// directory are sorted and unique, and each is found by lookup; sums are those of the entries. A damaged block, or
// contradictions without number, are the status; contradictions go to `problems`. Watches progress.cancel.
Status CheckIndex(const IndexView& index, unsigned jobs, const Progress& progress, ProblemList* problems,
                  IndexSummary* out);

}  // namespace shoal
