#include "pack/step_replay.h"

#include <algorithm>
#include <iterator>
#include <string>

#include "core/format.h"
#include "pack/stored_content.h"
#include "pack/tar_header.h"

namespace shoal {
namespace {

// Calls visit(checksum) for each that the step fills in, in their order.
template <typename Catalogue, typename Visit>
void EachChecksum(const PlanStep& step, Catalogue& catalogue, const Visit& visit) {
  auto visit_chunks = [&](uint32_t entry, uint64_t offset, uint64_t size) {
    auto* row = &catalogue.chunk_checksums[catalogue.checksums[entry] + offset / format::kChunkLength];
    for (uint64_t at = 0; at < size; at += format::kChunkLength) visit(*row++);
  };
  if (step.kind == PlanStep::Kind::kStored) return visit_chunks(step.first, step.stored_offset, step.stored_length);
  for (uint32_t number = step.first; step.kind == PlanStep::Kind::kMembers && number < step.first + step.count;
       number++) {
    const uint32_t entry = catalogue.plan.EntryOf(number);
    if (catalogue.IsDirectory(entry) || !catalogue.HasData(entry)) continue;
    const uint64_t stored = StoredBytes(catalogue, entry);
    if (stored == 0 || stored > Plan::kLargeFile) continue;
    if (stored <= format::kChunkLength) {
      visit(catalogue.checksums[entry]);
    } else {
      visit_chunks(entry, 0, stored);
    }
  }
}

}  // namespace

void KeepWhatHolds(const Plan& plan, const std::vector<uint64_t>& made, Journal* journal) {
  std::vector<WrittenStep>& steps = journal->steps;
  auto is_gone = [&](const WrittenStep& written) {
    if (written.step >= plan.steps.size()) return true;
    const uint64_t length = made[plan.steps[written.step].volume];
    return length == 0 || written.end() > length;
  };
  steps.erase(std::remove_if(steps.begin(), steps.end(), is_gone), steps.end());
  for (auto frames = journal->frames.begin(); frames != journal->frames.end();) {
    const bool holds = frames->first < made.size() && made[frames->first] > 0;
    frames = !holds ? journal->frames.erase(frames) : std::next(frames);
  }
  auto is_before = [](const WrittenStep& a, const WrittenStep& b) { return a.step < b.step; };
  auto is_same = [](const WrittenStep& a, const WrittenStep& b) { return a.step == b.step; };
  std::stable_sort(steps.begin(), steps.end(), is_before);
  steps.erase(std::unique(steps.begin(), steps.end(), is_same), steps.end());
}

std::vector<uint32_t> ChecksumsOf(const PlanStep& step, const PackCatalogue& catalogue) {
  std::vector<uint32_t> checksums;
  EachChecksum(step, catalogue, [&](uint32_t checksum) { checksums.push_back(checksum); });
  return checksums;
}

ReplayedStep ReplayStep(const PlanStep& step, const WrittenStep& written, MemberBuilder* builder,
                        PackCatalogue* catalogue) {
  ReplayedStep replayed;
  uint64_t offset = step.offset;
  if (step.kind == PlanStep::Kind::kStored) replayed.bytes = step.stored_length;
  if (step.kind == PlanStep::Kind::kDirectories) replayed.members = step.count;
  std::string header;
  for (uint32_t number = step.first; step.kind == PlanStep::Kind::kMembers && number < step.first + step.count;
       number++) {
    const uint32_t entry = catalogue->plan.EntryOf(number);
    if (catalogue->IsDirectory(entry)) continue;
    replayed.members++;
    header.clear();
    offset += builder->Append(entry, &header);
    if (!catalogue->HasData(entry)) continue;
    SetPlace(catalogue, entry, step.volume, offset);
    const uint64_t stored = StoredBytes(*catalogue, entry);
    if (stored > Plan::kLargeFile) continue;
    offset += Padded(stored);
    replayed.bytes += stored;
  }
  auto next = written.checksums.begin();
  EachChecksum(step, *catalogue, [&](uint32_t& checksum) {
    if (next != written.checksums.end()) checksum = *next++;
  });
  catalogue->pieces[step.volume].Add(written.runs);
  return replayed;
}

}  // namespace shoal
