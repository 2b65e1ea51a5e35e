#include "pack/finish_volumes.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <mutex>
#include <utility>

#include "core/format.h"
#include "core/run_threads.h"
#include "pack/member_builder.h"
#include "pack/volume_frame.h"
#include "pack/volume_set.h"

namespace shoal {
namespace {

Status FinishVolume(PackCatalogue* catalogue, size_t volume, const std::string& path, const uint8_t* id,
                    std::vector<uint32_t>* pieces) {
  const VolumePlan& plan = catalogue->plan.volumes[volume];
  const size_t count = catalogue->plan.volumes.size();
  PieceSums& sums = catalogue->pieces[volume];
  VolumeSink* const sink = catalogue->sinks[volume].get();
  auto write = [&](uint64_t offset, const std::string& text) {
    sums.Add(offset, text.data(), text.size());
    return ExplainNoSpace(sink->Write(offset, text.data(), text.size()), path, catalogue->plan);
  };
  SHOAL_RETURN_IF_ERROR(write(0, VolumeHead(volume, count, id)));
  SHOAL_RETURN_IF_ERROR(sums.Rows(plan.pieces_offset, pieces));

  std::string tail;
  const uint64_t whole = plan.pieces_offset / format::kPieceLength;
  for (uint64_t first = 0; first < whole; first += kValuesPerHeader) {
    AppendTailValues(TailValues::kPieces, first, pieces->data() + first, std::min(kValuesPerHeader, whole - first),
                     &tail);
  }
  MemberBuilder builder(catalogue);
  if (volume + 1 == count) {
    builder.Append(0, &tail);
  } else {
    builder.AppendPassingRoot(&tail);
  }
  AppendVolumeEnd(plan.pieces_offset + tail.size(), &tail);
  SHOAL_RETURN_IF_ERROR(write(plan.pieces_offset, tail));
  SHOAL_RETURN_IF_ERROR(sums.Rows(plan.length, pieces));
  Status synced = ExplainNoSpace(sink->Sync(), path, catalogue->plan);
  sink->Rest();
  return synced;
}

}  // namespace

Status FinishVolumes(PackCatalogue* catalogue, const std::vector<std::string>& paths, const uint8_t* id, unsigned jobs,
                     std::vector<std::vector<uint32_t>>* pieces) {
  const size_t count = catalogue->plan.volumes.size();
  pieces->assign(count, {});
  std::atomic<size_t> next{0};
  std::mutex mutex;
  Status failure;
  SHOAL_RETURN_IF_ERROR(RunThreads(static_cast<unsigned>(std::min<size_t>(jobs, count)), [&](unsigned) {
    for (size_t volume; (volume = next.fetch_add(1)) < count;) {
      Status status = FinishVolume(catalogue, volume, paths[volume], id, &(*pieces)[volume]);
      if (status.ok()) continue;
      std::lock_guard<std::mutex> lock(mutex);
      if (failure.ok()) failure = std::move(status);
      next = count;
    }
  }));
  // As in WriteVolumes.
  if (!failure.ok()) catalogue->sinks.clear();
  return failure;
}

}  // namespace shoal
