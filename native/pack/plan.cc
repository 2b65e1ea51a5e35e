#include "pack/plan.h"

#include <algorithm>
#include <atomic>
#include <unordered_map>

#include "core/format.h"
#include "core/run_threads.h"
#include "pack/member_builder.h"
#include "pack/pack_catalogue.h"
#include "pack/tar_header.h"

namespace shoal {
namespace {

// Entries or directories planned by one thread at once. Ranges begin new steps, so it is fixed: the same steps for any
// number of threads.
constexpr uint32_t kRangeLength = 16384;

struct Range {
  PlanStep::Kind kind;
  uint32_t first, end;
  // With offsets from the range's start; and its length.
  std::vector<PlanStep> steps;
  uint64_t length = 0;
};

class RangePlanner {
 public:
  explicit RangePlanner(const PackCatalogue* catalogue) : catalogue_(*catalogue), builder_(catalogue) {}

  void Run(Range* range) {
    range_ = range;
    open_ = PlanStep();
    for (uint32_t number = range->first; number < range->end; number++) {
      if (range->kind == PlanStep::Kind::kDirectories) {
        Add(number, catalogue_.plan.directories[number]);
      } else if (!catalogue_.IsDirectory(number)) {
        Add(number, number);
      }
    }
    Close();
  }

 private:
  void Add(uint32_t number, uint32_t entry) {
    if (open_.count == 0) {
      open_.kind = range_->kind;
      open_.offset = range_->length;
      open_.first = number;
    }
    open_.count = number - open_.first + 1;
    header_.clear();
    range_->length += builder_.Append(entry, &header_);
    const uint64_t stored = catalogue_.IsFile(entry) ? StoredBytes(catalogue_, entry) : 0;
    if (stored > Plan::kLargeFile) {
      Close();
      for (uint64_t at = 0; at < stored; at += Plan::kLargeStep) {
        const uint64_t length = std::min(Plan::kLargeStep, stored - at);
        range_->steps.push_back({PlanStep::Kind::kStored, entry, 0, range_->length + at, at, length});
      }
    }
    range_->length += Padded(stored);
    if (open_.count > 0 && range_->length - open_.offset >= Plan::kMembersLength) Close();
  }

  void Close() {
    if (open_.count > 0) range_->steps.push_back(open_);
    open_ = PlanStep();
  }

  const PackCatalogue& catalogue_;
  MemberBuilder builder_;
  std::string header_;
  Range* range_ = nullptr;
  PlanStep open_;
};

void AddRanges(PlanStep::Kind kind, size_t count, std::vector<Range>* ranges) {
  for (size_t first = 0; first < count; first += kRangeLength) {
    const size_t end = std::min<size_t>(count, first + kRangeLength);
    ranges->push_back({kind, static_cast<uint32_t>(first), static_cast<uint32_t>(end), {}, 0});
  }
}

Status PlanMembers(PackCatalogue* catalogue, unsigned jobs) {
  Plan& plan = catalogue->plan;
  std::vector<Range> ranges;
  AddRanges(PlanStep::Kind::kEntries, catalogue->size(), &ranges);
  AddRanges(PlanStep::Kind::kDirectories, plan.directories.size() - 1, &ranges);

  std::atomic<size_t> next{0};
  SHOAL_RETURN_IF_ERROR(RunThreads(static_cast<unsigned>(std::min<size_t>(jobs, ranges.size())), [&](unsigned) {
    RangePlanner planner(catalogue);
    for (size_t i; (i = next.fetch_add(1)) < ranges.size();) planner.Run(&ranges[i]);
  }));

  plan.tail_offset = kVolumeHeadLength;
  for (const Range& range : ranges) {
    for (PlanStep step : range.steps) {
      step.offset += plan.tail_offset;
      plan.steps.push_back(step);
    }
    plan.tail_offset += range.length;
  }
  return Status();
}

void PlanChecksums(PackCatalogue* catalogue, Plan* plan) {
  uint64_t rows = 0;
  for (uint32_t entry = 0; entry < catalogue->size(); entry++) {
    if (!catalogue->IsFile(entry)) continue;
    const uint64_t stored = StoredBytes(*catalogue, entry);
    plan->stored_bytes += stored;
    if (stored > format::kChunkLength) {
      const uint64_t chunks = (stored + format::kChunkLength - 1) / format::kChunkLength;
      catalogue->checksums[entry] = static_cast<uint32_t>(rows);
      rows += chunks;
      plan->checksum_count += chunks;
    } else if (catalogue->sizes[entry] > 0) {
      plan->checksum_count++;
    }
  }
  catalogue->chunk_checksums.assign(rows, 0);
}

void PlanDirectoriesAndLinks(const PackCatalogue& catalogue, Plan* plan) {
  std::unordered_map<uint32_t, uint32_t> names;  // beyond the first, of entries that have any
  std::unordered_map<uint32_t, uint32_t> subdirectories;
  for (uint32_t entry = 0; entry < catalogue.size(); entry++) {
    if (catalogue.IsAlias(entry)) {
      names[static_cast<uint32_t>(catalogue.offsets[entry])]++;
    } else if (catalogue.IsDirectory(entry)) {
      plan->directories.push_back(entry);
      if (entry > 0) subdirectories[catalogue.parents[entry]]++;
    }
  }
  std::reverse(plan->directories.begin(), plan->directories.end());
  auto count = [](const std::unordered_map<uint32_t, uint32_t>& counts, uint32_t entry) {
    auto found = counts.find(entry);
    return found == counts.end() ? 0 : found->second;
  };
  for (uint32_t entry = 0; entry < catalogue.size(); entry++) {
    if (catalogue.IsAlias(entry)) continue;
    const uint32_t usual = catalogue.IsDirectory(entry) ? 2 + count(subdirectories, entry) : 1 + count(names, entry);
    if (catalogue.Row(entry).nlink != usual) plan->links.emplace_back(entry, catalogue.Row(entry).nlink);
  }
}

}  // namespace

Status MakePlan(PackCatalogue* catalogue, unsigned jobs) {
  Plan& plan = catalogue->plan;
  plan = Plan();
  PlanDirectoriesAndLinks(*catalogue, &plan);
  PlanChecksums(catalogue, &plan);
  SHOAL_RETURN_IF_ERROR(PlanMembers(catalogue, jobs));
  std::string links;
  AppendTailLinks(plan.links, &links);
  plan.pieces_offset = plan.tail_offset + TailValuesLength(TailValues::kChecksums, plan.checksum_count) + links.size();
  const uint64_t whole_pieces = plan.pieces_offset / format::kPieceLength;
  std::string root;
  MemberBuilder(catalogue).Append(0, &root);
  plan.volume_length =
      EndedLength(plan.pieces_offset + TailValuesLength(TailValues::kPieces, whole_pieces) + root.size());
  return Status();
}

}  // namespace shoal
