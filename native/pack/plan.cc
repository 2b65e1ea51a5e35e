#include "pack/plan.h"

#include <algorithm>
#include <unordered_map>

#include "core/format.h"
#include "pack/frame_encoder.h"
#include "pack/member_builder.h"
#include "pack/member_lengths.h"
#include "pack/member_order.h"
#include "pack/pack_catalogue.h"
#include "pack/sample.h"
#include "pack/volume_layout.h"

namespace shoal {
namespace {

void PlanChecksums(PackCatalogue* catalogue) {
  uint64_t rows = 0;
  for (uint32_t entry = 0; entry < catalogue->size(); entry++) {
    if (!catalogue->HasData(entry)) continue;
    const uint64_t stored = StoredBytes(*catalogue, entry);
    if (stored <= format::kChunkLength) continue;
    catalogue->checksums[entry] = static_cast<uint32_t>(rows);
    rows += ChecksumCount(catalogue->sizes[entry], stored);
  }
  catalogue->chunk_checksums.assign(rows, 0);
}

Links PlanDirectoriesAndLinks(const PackCatalogue& catalogue, Plan* plan) {
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
  Links links;
  for (uint32_t entry = 0; entry < catalogue.size(); entry++) {
    if (catalogue.IsAlias(entry)) continue;
    const uint32_t usual = catalogue.IsDirectory(entry) ? 2 + count(subdirectories, entry) : 1 + count(names, entry);
    if (catalogue.Row(entry).nlink != usual) links.emplace_back(entry, catalogue.Row(entry).nlink);
  }
  return links;
}

// Whether the member of `entry` must stand in the volume of that of `leader`, which begins a unit.
bool IsOneUnit(const PackCatalogue& catalogue, const PlanOptions& options, uint32_t leader, uint32_t entry) {
  return catalogue.IsAlias(entry) || (options.samples && IsSameSample(catalogue, leader, entry));
}

// How many plain bytes a volume may have so that its file is not longer than asked for, though nothing of it shrinks.
uint64_t PlainSize(const PlanOptions& options) {
  if (options.volume_size == 0 || options.level == 0) return options.volume_size;
  // A stored frame's header (FrameEncoder), its row in the seek table, and the table's own header and end.
  constexpr uint64_t kFrame = FrameEncoder::kStoredOffset + 8, kTable = 17;
  const uint64_t frames = options.volume_size / format::kFrameLength + 1;
  const uint64_t overhead = frames * kFrame + kTable;
  return options.volume_size > overhead ? options.volume_size - overhead : 1;
}

Status LayOut(PackCatalogue* catalogue, const PlanOptions& options, const Links& links, MemberLengths* lengths) {
  const Plan& plan = catalogue->plan;
  VolumeLayout layout(catalogue, lengths, links, PlainSize(options));
  const auto numbers = static_cast<uint32_t>(plan.members.empty() ? catalogue->size() : plan.members.size());
  for (uint32_t first = 0; first < numbers;) {
    uint32_t end = first + 1;
    if (!catalogue->IsDirectory(plan.EntryOf(first))) {
      while (end < numbers && IsOneUnit(*catalogue, options, plan.EntryOf(first), plan.EntryOf(end))) end++;
      SHOAL_RETURN_IF_ERROR(layout.Add(PlanStep::Kind::kMembers, first, end - first));
    }
    first = end;
  }
  for (uint32_t number = 0; number + 1 < plan.directories.size(); number++) {
    SHOAL_RETURN_IF_ERROR(layout.Add(PlanStep::Kind::kDirectories, number, 1));
  }
  layout.Finish();
  return Status();
}

}  // namespace

uint64_t Plan::volumes_length() const {
  uint64_t length = 0;
  for (const VolumePlan& volume : volumes) length += volume.length;
  return length;
}

Status MakePlan(PackCatalogue* catalogue, const PlanOptions& options, unsigned jobs) {
  Plan& plan = catalogue->plan;
  plan = Plan();
  plan.level = options.level;
  // WebDataset passes over hard links, as which copies stand in a volume.
  if (options.samples) catalogue->originals.clear();
  const Links links = PlanDirectoriesAndLinks(*catalogue, &plan);
  if (options.volume_size > 0 || !options.order_file.empty()) {
    MemberOrder order(catalogue, options.samples);
    if (order.HasFollowers() || !options.order_file.empty()) {
      SHOAL_RETURN_IF_ERROR(order.Run(options, &plan.members, &plan.strays));
    }
  }
  MemberLengths lengths(catalogue);
  SHOAL_RETURN_IF_ERROR(lengths.Measure(jobs));
  SHOAL_RETURN_IF_ERROR(LayOut(catalogue, options, links, &lengths));
  PlanChecksums(catalogue);
  catalogue->volumes.clear();
  if (plan.volumes.size() > 1) catalogue->volumes.assign(catalogue->size(), 0);
  catalogue->pieces.clear();
  for (size_t volume = 0; volume < plan.volumes.size(); volume++) catalogue->pieces.emplace_back();
  return Status();
}

}  // namespace shoal
