// Where everything stands in the volumes, before the first byte of them is written.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/catalogue.h"
#include "core/format.h"
#include "pack/volume_frame.h"

namespace shoal {

struct PackCatalogue;

// What one thread writes at once.
struct PlanStep {
  enum class Kind : uint8_t {
    kMembers,      // those numbered from `first` on; numbers of directories are skipped
    kStored,       // a range of the stored bytes of the large file `first`
    kDirectories,  // those of Plan::directories numbered from `first` on; the root's stands behind the tail
  };
  Kind kind = Kind::kMembers;
  uint16_t volume = 0;
  uint32_t first = 0;
  uint32_t count = 0;   // of numbers
  uint64_t offset = 0;  // in the volume
  uint64_t stored_offset = 0;
  uint64_t stored_length = 0;
};

struct VolumePlan {
  size_t first_step = 0;
  size_t step_count = 0;
  uint64_t checksum_count = 0;  // values in the tail
  uint64_t tail_offset = 0;
  Links links;
  uint64_t pieces_offset = 0;  // of the tail's headers with checksums of pieces, which the root's member follows
  uint64_t length = 0;
};

struct PlanOptions {
  uint64_t volume_size = 0;  // of a volume, at most; 0: one volume for everything
  int level = 0;             // of zstd, with which volumes are compressed; 0: they are not
  bool samples = false;      // those of a sample stand together, in one volume
  std::string order_file;    // lists paths whose members stand first; empty: none
  char order_end = '\n';     // behind each of them
};

// What a list of paths names that is no file of the tree.
struct Strays {
  static constexpr uint64_t kNamed = 3;

  uint64_t count = 0;
  std::vector<std::string> first;
};

struct Plan {
  // Files above this length are written in steps of their own; the data of the others stand in memory with their
  // headers.
  static constexpr uint64_t kLargeFile = 1 << 20;
  static constexpr uint64_t kMembersLength = 1 << 20;  // a step of members ends when it has this length
  static constexpr uint64_t kLargeStep = 8 << 20;      // a multiple of the chunk length
  static constexpr size_t kMaxVolumes = format::kExtentListVolume - 1;

  std::vector<uint32_t> members;      // the entry of each number, without directories; empty: each entry has its own
  std::vector<uint32_t> directories;  // entries, in the order of their members: the last one first
  std::vector<VolumePlan> volumes;
  int level = 0;                // as in PlanOptions
  std::vector<PlanStep> steps;  // by volume, in order of offset
  uint64_t stored_bytes = 0;
  uint64_t copied_bytes = 0;       // of copies, which are not stored
  std::vector<Problem> oversized;  // entries that need a volume longer than was asked for
  Strays strays;

  uint32_t EntryOf(uint32_t number) const { return members.empty() ? number : members[number]; }
  uint64_t volumes_length() const;  // of all together
};

// Fills catalogue->plan, and gives each file with more than one chunk its rows in chunk_checksums.
Status MakePlan(PackCatalogue* catalogue, const PlanOptions& options, unsigned jobs);

}  // namespace shoal
