// Which steps of a plan are written and durable: a file beside the volumes, by which a run that was stopped is gone on
// with.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/status.h"
#include "pack/piece_sums.h"

namespace shoal {

// What a step leaves behind beside the bytes in its volume.
struct WrittenStep {
  uint32_t step = 0;                 // its number in the plan
  std::vector<uint32_t> checksums;   // of its files or chunks, in their order
  std::vector<PieceSums::Run> runs;  // of the volume, as they were written
};

// Appends to `records` what stands for the step in the file.
void AppendJournal(const WrittenStep& step, std::string* records);

// Reads the file at `path`, up to where it ends or something else begins: what a run was writing when it was stopped.
// *length is that of what was read. Missing is empty.
Status ReadJournal(const std::string& path, std::vector<WrittenStep>* steps, uint64_t* length);

}  // namespace shoal
