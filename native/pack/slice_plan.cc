#include "pack/slice_plan.h"

#include <algorithm>
#include <string>
#include <utility>

#include "core/format.h"
#include "pack/member_lengths.h"
#include "pack/tail_length.h"
#include "pack/tar_header.h"
#include "pack/volume_frame.h"

namespace shoal {
namespace {

constexpr uint64_t kStatBlock = 512;  // unit of st_blocks, stat(2)
// Of an index whatever is in it: its header, and the rounding of its sections and to blocks of storage.
constexpr uint64_t kIndexOverhead = 16384;
// Of what is there while a slice is made, beside its volume and index: its plan's header, leases, directories, each
// rounded to a block.
constexpr uint64_t kWorkOverhead = 32768;
// Of an entry in an index, beside its name: its record and its row in the hash table take 64 (DESIGN §4), a set of
// attributes of its own 20 more.
constexpr uint64_t kIndexEntry = 84;
// Of an entry in a saved plan and its journal, beside its name.
constexpr uint64_t kPlanEntry = 112;

// What the members of a slice take.
struct Cost {
  uint64_t members = 0;  // length in the volume
  TailLength tail;
  uint64_t index = 0;
  uint64_t plan = 0;
  uint64_t freed = 0;  // by removing it
};

class SlicePlanner {
 public:
  SlicePlanner(const PackCatalogue& catalogue, const SliceLimits& limits, std::vector<Slice>* out)
      : catalogue_(catalogue), limits_(limits), out_(*out), lengths_(&catalogue), seen_(catalogue.size(), kNoSlice) {}

  // Makes slices as large as they may be; a unit that needs more than is allowed is one by itself.
  Status Run(unsigned jobs);

  // After Run: what the slice takes that takes most, or the index of the whole.
  uint64_t needed() const { return needed_; }
  // The entry with which it does, or 0.
  uint32_t needs() const { return needs_; }

 private:
  static constexpr uint32_t kNoSlice = 0xFFFFFFFF;
  using FurtherNames = std::vector<std::pair<uint32_t, uint32_t>>;

  void Add(uint32_t entry);
  void AddUnit(uint32_t entry, Cost* cost);
  void AddMember(uint32_t entry, Cost* cost);
  void AddDirectories(uint32_t entry, Cost* cost);
  FurtherNames::const_iterator NamesOf(uint32_t entry) const {
    return std::lower_bound(further_names_.begin(), further_names_.end(), std::make_pair(entry, uint32_t{0}));
  }
  uint64_t VolumeLength(const Cost& cost) const;
  // What the slices so far take beyond what they took.
  uint64_t Beyond() const { return written_ > freed_ ? written_ - freed_ : 0; }
  uint64_t Extra(const Cost& cost) const;
  bool Fits(const Cost& cost) const;
  void Close(uint32_t end);

  const PackCatalogue& catalogue_;
  const SliceLimits& limits_;
  std::vector<Slice>& out_;
  MemberLengths lengths_;
  FurtherNames further_names_;  // file, alias of it; sorted
  std::vector<uint32_t> seen_;  // directory → the last slice that has it
  uint64_t root_length_ = 0;

  Slice slice_;
  Cost cost_;  // of slice_
  uint64_t written_ = 0;
  uint64_t freed_ = 0;
  uint64_t indexes_ = 0;
  uint64_t needed_ = 0;
  uint32_t needs_ = 0;
};

Status SlicePlanner::Run(unsigned jobs) {
  for (uint32_t entry = 0; entry < catalogue_.size(); entry++) {
    if (catalogue_.IsAlias(entry)) further_names_.emplace_back(static_cast<uint32_t>(catalogue_.offsets[entry]), entry);
  }
  std::sort(further_names_.begin(), further_names_.end());
  SHOAL_RETURN_IF_ERROR(lengths_.Measure(jobs));
  root_length_ = lengths_.HeaderLength(0);

  slice_.first = 1;
  for (uint32_t entry = 1; entry < catalogue_.size(); entry++) {
    if (BeginsUnit(catalogue_, entry)) Add(entry);
  }
  Close(static_cast<uint32_t>(catalogue_.size()));

  // The index of the whole is written while those of the slices are still there.
  const uint64_t last = limits_.beside + kWorkOverhead + kIndexOverhead + indexes_ + Beyond();
  if (last > needed_) {
    needed_ = last;
    needs_ = 0;
  }
  return Status();
}

void SlicePlanner::Add(uint32_t entry) {
  Cost with = cost_;
  AddUnit(entry, &with);
  if (cost_.members > 0 && !Fits(with)) {
    Close(entry);
    with = Cost();
    AddUnit(entry, &with);
  }
  cost_ = with;
  if (Extra(cost_) > needed_) {
    needed_ = Extra(cost_);
    needs_ = entry;
  }
}

void SlicePlanner::AddUnit(uint32_t entry, Cost* cost) {
  AddMember(entry, cost);
  AddDirectories(entry, cost);
  uint32_t names = 1;
  for (auto name = NamesOf(entry); name != further_names_.end() && name->first == entry; ++name, ++names) {
    AddMember(name->second, cost);
    AddDirectories(name->second, cost);
  }
  const bool has_all_names = catalogue_.Row(entry).nlink <= names;
  if (catalogue_.IsFile(entry) && has_all_names) cost->freed += catalogue_.spaces[entry] * kStatBlock;
}

void SlicePlanner::AddMember(uint32_t entry, Cost* cost) {
  cost->members += lengths_.HeaderLength(entry);
  uint64_t beside = catalogue_.name_lengths[entry];
  if (!catalogue_.IsAlias(entry)) {
    if (catalogue_.HasData(entry)) {
      const uint64_t stored = StoredBytes(catalogue_, entry);
      const uint64_t checksums = ChecksumCount(catalogue_.sizes[entry], stored);
      cost->members += Padded(stored);
      cost->tail.AddChecksums(checksums);
      beside += checksums * sizeof(uint32_t);
      const ExtentList* list = FindExtents(catalogue_, entry);
      if (list != nullptr) beside += list->extents.size() * sizeof(Extent);
    } else if (S_ISLNK(catalogue_.Row(entry).mode)) {
      beside += catalogue_.sizes[entry];
    }
    cost->tail.AddLink(entry, catalogue_.Row(entry).nlink);
  }
  cost->index += kIndexEntry + beside;
  cost->plan += kPlanEntry + beside;
}

// Those above the entry that the slice has not yet.
void SlicePlanner::AddDirectories(uint32_t entry, Cost* cost) {
  const auto slice = static_cast<uint32_t>(out_.size());
  for (uint32_t above = catalogue_.parents[entry]; above != 0 && seen_[above] != slice;
       above = catalogue_.parents[above]) {
    seen_[above] = slice;
    AddMember(above, cost);
  }
}

uint64_t SlicePlanner::VolumeLength(const Cost& cost) const {
  const uint64_t pieces_offset =
      kVolumeHeadLength + cost.members + cost.tail.checksums_length() + cost.tail.links_bound();
  return EndedLength(pieces_offset + TailValuesLength(TailValues::kPieces, pieces_offset / format::kPieceLength) +
                     root_length_);
}

uint64_t SlicePlanner::Extra(const Cost& cost) const {
  return limits_.beside + Beyond() + VolumeLength(cost) + kIndexOverhead + cost.index + cost.plan + kWorkOverhead;
}

bool SlicePlanner::Fits(const Cost& cost) const {
  if (limits_.volume_size != 0 && VolumeLength(cost) > limits_.volume_size) return false;
  return Extra(cost) <= limits_.max_extra;
}

void SlicePlanner::Close(uint32_t end) {
  slice_.end = end;
  slice_.extra = Extra(cost_);
  out_.push_back(slice_);
  written_ += VolumeLength(cost_) + kIndexOverhead + cost_.index;
  indexes_ += cost_.index;
  freed_ += cost_.freed;
  slice_ = Slice();
  slice_.first = end;
  cost_ = Cost();
}

}  // namespace

Status PlanSlices(const PackCatalogue& catalogue, const SliceLimits& limits, unsigned jobs, std::vector<Slice>* out) {
  SlicePlanner planner(catalogue, limits, out);
  SHOAL_RETURN_IF_ERROR(planner.Run(jobs));
  if (planner.needed() > limits.max_extra) {
    // With that there are fewer slices, which take less beside what is in them.
    const SliceLimits wider{planner.needed(), limits.beside, limits.volume_size};
    std::vector<Slice> ignored;
    SlicePlanner enough(catalogue, wider, &ignored);
    SHOAL_RETURN_IF_ERROR(enough.Run(jobs));
    const uint64_t least = std::max(enough.needed(), limits.max_extra + 1);
    Status status(Code::kUsage, "expected at least " + std::to_string(least) + " bytes of extra space for " +
                                    (enough.needs() == 0 ? "an image of files so small, which take more when packed"
                                                         : "this file and what stands beside it") +
                                    ", found " + std::to_string(limits.max_extra) + "; give at least that");
    return enough.needs() == 0 ? std::move(status) : std::move(status).At(catalogue.SourcePath(enough.needs()));
  }
  if (out->size() > Slice::kMaxSlices) {
    return Status(Code::kUsage, "expected at most " + std::to_string(Slice::kMaxSlices) + " slices, found " +
                                    std::to_string(out->size()) + "; give more extra space, or larger volumes");
  }
  return Status();
}

}  // namespace shoal
