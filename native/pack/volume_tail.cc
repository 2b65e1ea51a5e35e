#include "pack/volume_tail.h"

#include <string>
#include <vector>

#include "core/format.h"
#include "pack/member_builder.h"
#include "pack/volume_frame.h"

namespace shoal {

Status WriteVolumeTail(const PackCatalogue& catalogue, size_t volume, VolumeSet* volumes) {
  const Plan& plan = catalogue.plan;
  const VolumePlan& planned = plan.volumes[volume];
  std::string text;
  uint64_t offset = planned.tail_offset;
  uint64_t first = 0;
  std::vector<uint32_t> values;
  auto flush = [&]() -> Status {
    text.clear();
    AppendTailValues(TailValues::kChecksums, first, values.data(), values.size(), &text);
    SHOAL_RETURN_IF_ERROR(volumes->Write(volume, offset, text.data(), text.size()));
    offset += text.size();
    first += values.size();
    values.clear();
    return Status();
  };
  for (size_t i = planned.first_step; i < planned.first_step + planned.step_count; i++) {
    const PlanStep& step = plan.steps[i];
    if (step.kind != PlanStep::Kind::kMembers) continue;
    for (uint32_t member = step.first; member < step.first + step.count; member++) {
      const uint32_t entry = plan.EntryOf(member);
      if (!catalogue.HasData(entry)) continue;
      const uint64_t stored = StoredBytes(catalogue, entry);
      const uint64_t count = ChecksumCount(catalogue.sizes[entry], stored);
      for (uint64_t value = 0; value < count; value++) {
        values.push_back(stored > format::kChunkLength ? catalogue.chunk_checksums[catalogue.checksums[entry] + value]
                                                       : catalogue.checksums[entry]);
        if (values.size() == kValuesPerHeader) SHOAL_RETURN_IF_ERROR(flush());
      }
    }
  }
  if (!values.empty()) SHOAL_RETURN_IF_ERROR(flush());
  text.clear();
  AppendTailLinks(planned.links, &text);
  if (first != planned.checksum_count || offset + text.size() != planned.pieces_offset) {
    return Status(Code::kInternal, "the volume's tail does not end where it was planned")
        .At(volumes->path(volume), static_cast<int64_t>(offset));
  }
  return volumes->Write(volume, offset, text.data(), text.size());
}

}  // namespace shoal
