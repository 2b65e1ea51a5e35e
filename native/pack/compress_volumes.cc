#include "pack/compress_volumes.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <memory>
#include <mutex>
#include <utility>

#include "core/file.h"
#include "core/format.h"
#include "core/run_threads.h"
#include "pack/frame_sink.h"
#include "pack/volume_frame.h"
#include "pack/volume_set.h"

namespace shoal {
namespace {

// Plain bytes that a thread holds at once: whole frames.
constexpr uint64_t kRun = 1 << 20;
static_assert(kRun % format::kFrameLength == 0, "a run begins with a frame");

class VolumeCompressor {
 public:
  VolumeCompressor(PackCatalogue* catalogue, size_t volume, const std::string& plain, const std::string& path,
                   Progress* progress)
      : catalogue_(*catalogue),
        volume_(volume),
        plan_(catalogue->plan.volumes[volume]),
        plain_(plain),
        path_(path),
        progress_(*progress) {}

  Status Run(unsigned jobs) {
    SHOAL_RETURN_IF_ERROR(OpenForRead(plain_, &fd_));
    // The sink outlives this.
    auto stopped = [stop = stop_] { return stop->load(); };
    SHOAL_RETURN_IF_ERROR(FrameSink::Create(path_, plan_.length, catalogue_.plan.level, std::move(stopped), &sink_));
    const std::string head = VolumeHead(volume_, catalogue_.plan.volumes.size());
    SHOAL_RETURN_IF_ERROR(Write(0, head.data(), head.size()));
    SHOAL_RETURN_IF_ERROR(RunThreads(jobs, [this](unsigned) { CompressRuns(); }));
    SHOAL_RETURN_IF_ERROR(failure_);
    sink_->Rest();
    catalogue_.sinks[volume_] = std::move(sink_);
    return unlink(plain_.c_str()) == 0 ? Status() : Status::FromErrno("cannot remove", plain_, errno);
  }

 private:
  void CompressRuns() {
    std::vector<uint8_t> bytes(kRun);
    for (uint64_t at; !*stop_ && (at = next_.fetch_add(kRun)) < plan_.pieces_offset;) {
      const uint64_t begin = std::max(at, kVolumeHeadLength);
      const auto size = static_cast<size_t>(std::min(at + kRun, plan_.pieces_offset) - begin);
      Status status = progress_.cancel == 0 ? ReadExact(fd_.get(), plain_, begin, bytes.data(), size)
                                            : Status(Code::kCancelled, "cancelled while the volumes were compressed");
      if (status.ok()) status = Write(begin, reinterpret_cast<const char*>(bytes.data()), size);
      if (!status.ok()) return Fail(std::move(status));
      progress_.bytes_done.fetch_add(size, std::memory_order_relaxed);
    }
  }

  Status Write(uint64_t offset, const char* data, size_t size) {
    return ExplainNoSpace(sink_->Write(offset, data, size), path_, catalogue_.plan);
  }

  void Fail(Status status) {
    std::lock_guard<std::mutex> lock(mutex_);
    if (failure_.ok()) failure_ = std::move(status);
    *stop_ = true;
  }

  PackCatalogue& catalogue_;
  const size_t volume_;
  const VolumePlan& plan_;
  const std::string& plain_;
  const std::string& path_;
  Progress& progress_;
  UniqueFd fd_;
  std::unique_ptr<VolumeSink> sink_;
  const std::shared_ptr<std::atomic<bool>> stop_ = std::make_shared<std::atomic<bool>>(false);
  std::atomic<uint64_t> next_{0};
  std::mutex mutex_;
  Status failure_;
};

}  // namespace

Status CompressVolumes(PackCatalogue* catalogue, const std::vector<std::string>& plain,
                       const std::vector<std::string>& paths, unsigned jobs, Progress* progress) {
  for (size_t volume = 0; volume < paths.size(); volume++) {
    SHOAL_RETURN_IF_ERROR(VolumeCompressor(catalogue, volume, plain[volume], paths[volume], progress).Run(jobs));
  }
  return Status();
}

}  // namespace shoal
