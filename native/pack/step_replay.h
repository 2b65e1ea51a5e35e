// What an earlier run has done of a plan: which of it still holds, and what it would have left in the catalogue.
#pragma once

#include <cstdint>
#include <vector>

#include "pack/journal.h"
#include "pack/member_builder.h"
#include "pack/pack_catalogue.h"

namespace shoal {

// Takes out of the journal what lies behind made[v], the plain bytes that are there of volume v (0: it is to be made
// anew), and sorts its steps, each once.
void KeepWhatHolds(const Plan& plan, const std::vector<uint64_t>& made, Journal* journal);

// The checksums that the step has filled in, in the order of their files or chunks.
std::vector<uint32_t> ChecksumsOf(const PlanStep& step, const PackCatalogue& catalogue);

// As the step would have counted them.
struct ReplayedStep {
  uint32_t members = 0;
  uint64_t bytes = 0;
};

// Leaves in the catalogue what doing the step would have: places, checksums and the sums of pieces. `builder` is the
// calling thread's.
ReplayedStep ReplayStep(const PlanStep& step, const WrittenStep& written, MemberBuilder* builder,
                        PackCatalogue* catalogue);

}  // namespace shoal
