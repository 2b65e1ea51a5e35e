#include "pack/checkpoints.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <set>
#include <system_error>
#include <utility>

#include "core/file.h"
#include "pack/saved_plan.h"

namespace shoal {
namespace {

Status Sync(const std::string& path) {
  UniqueFd fd(open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!fd.valid()) return Status::FromErrno("cannot open", path, errno);
  return fdatasync(fd.get()) == 0 ? Status() : Status::FromErrno("cannot sync", path, errno);
}

}  // namespace

Status Checkpoints::Start(std::vector<WrittenStep>* written, std::function<void(Status)> failed) {
  failed_ = std::move(failed);
  if (options_.resume) {
    SHOAL_RETURN_IF_ERROR(ReadJournal(options_.journal, written, &length_));
  } else if (!SavePlan(catalogue_, options_.request, options_.plan).ok()) {
    // No room for it is no reason to fail: the run would only have to start over if it were stopped.
    unlink(options_.plan.c_str());
    return Status();
  }
  try {
    thread_ = std::thread([this] { Run(); });
  } catch (const std::system_error&) {
    // Without a thread there are no checkpoints, and the run is as good as ever.
  }
  return Status();
}

void Checkpoints::Add(WrittenStep step) {
  std::lock_guard<std::mutex> lock(mutex_);
  steps_.push_back(std::move(step));
}

void Checkpoints::Stop() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    stop_ = true;
  }
  ended_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Checkpoints::Run() {
  const auto interval = std::chrono::duration<double>(options_.seconds);
  std::vector<WrittenStep> steps;
  std::unique_lock<std::mutex> lock(mutex_);
  while (!ended_.wait_for(lock, interval, [this] { return stop_; })) {
    steps.clear();
    steps.swap(steps_);
    lock.unlock();
    Status status = steps.empty() ? Status() : SyncVolumes(steps);
    if (!status.ok()) return failed_(std::move(status));
    if (!steps.empty() && !Append(steps).ok()) return;  // no room for it
    lock.lock();
  }
}

Status Checkpoints::SyncVolumes(const std::vector<WrittenStep>& steps) const {
  std::set<uint16_t> written;
  for (const WrittenStep& step : steps) written.insert(catalogue_.plan.steps[step.step].volume);
  for (uint16_t volume : written) SHOAL_RETURN_IF_ERROR(Sync(volumes_[volume]));
  return Status();
}

// Behind what was read of it: half of a record that a stopped run left is written over.
Status Checkpoints::Append(const std::vector<WrittenStep>& steps) {
  if (length_ == 0) SHOAL_RETURN_IF_ERROR(Sync(options_.plan));
  UniqueFd fd(open(options_.journal.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666));
  if (!fd.valid()) return Status::FromErrno("cannot open", options_.journal, errno);
  if (ftruncate(fd.get(), static_cast<off_t>(length_)) != 0)
    return Status::FromErrno("cannot truncate", options_.journal, errno);
  std::string records;
  for (const WrittenStep& step : steps) AppendJournal(step, &records);
  SHOAL_RETURN_IF_ERROR(WriteExact(fd.get(), options_.journal, length_, records.data(), records.size()));
  if (fdatasync(fd.get()) != 0) return Status::FromErrno("cannot sync", options_.journal, errno);
  length_ += records.size();
  return Status();
}

}  // namespace shoal
