// Which steps of a plan are written and durable, and where the frames of compressed volumes lie: a file beside the
// volumes, by which a run that was stopped is gone on with.
#pragma once

#include <cstdint>
#include <map>
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

  // Behind its last byte in the volume; 0 where it has none.
  uint64_t end() const;
};

// By compressed volume: where each of its frames that are in the file begins, and where the last of them ends.
using WrittenFrames = std::map<uint16_t, std::vector<uint64_t>>;

struct Journal {
  std::vector<WrittenStep> steps;
  WrittenFrames frames;
};

// Appends to `records` what stands for the step in the file. The frames that hold it must be there already.
void AppendStep(const WrittenStep& step, std::string* records);

// The same for frames of a volume, the first of them numbered `first`, if there are any; `offsets` are as
// WrittenFrames.
void AppendFrames(uint16_t volume, uint64_t first, const std::vector<uint64_t>& offsets, std::string* records);

// Reads the file at `path`, up to where it ends or something else begins: what a run was writing when it was stopped.
// *length is that of what was read. Missing is empty.
Status ReadJournal(const std::string& path, Journal* journal, uint64_t* length);

}  // namespace shoal
