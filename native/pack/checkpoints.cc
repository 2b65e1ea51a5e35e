#include "pack/checkpoints.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <iterator>
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

size_t CountRecords(const Journal& journal) {
  size_t count = journal.steps.size();
  for (const auto& [volume, offsets] : journal.frames) count += offsets.size();
  return count;
}

}  // namespace

Status Checkpoints::Open(Journal* written) {
  *written = Journal();
  if (options_.resume) {
    has_plan_ = true;
    SHOAL_RETURN_IF_ERROR(ReadJournal(options_.journal, written, &length_));
    for (const auto& [volume, offsets] : written->frames) frames_[volume] = offsets.size() - 1;
    records_ = CountRecords(*written);
    return Status();
  }
  has_plan_ = SavePlan(catalogue_, options_.request, options_.plan).ok();
  // No room for it is no reason to fail: the run would only have to start over if it were stopped.
  if (!has_plan_) unlink(options_.plan.c_str());
  return Status();
}

Status Checkpoints::Start(const Journal& kept, std::function<void(Status)> failed) {
  if (!has_plan_) return Status();
  failed_ = std::move(failed);
  if (CountRecords(kept) != records_) {
    // What does not hold must not be read again by the next run, which may find a new file in the old one's place.
    length_ = 0;
    frames_.clear();
    SHOAL_RETURN_IF_ERROR(Append(kept));
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
  std::vector<WrittenStep> steps;  // that are not in the journal
  std::unique_lock<std::mutex> lock(mutex_);
  while (!ended_.wait_for(lock, interval, [this] { return stop_; })) {
    steps.insert(steps.end(), std::make_move_iterator(steps_.begin()), std::make_move_iterator(steps_.end()));
    steps_.clear();
    lock.unlock();
    const Journal durable = TakeDurable(&steps);
    const bool is_any = !durable.steps.empty();
    Status status = is_any ? SyncVolumes(durable) : Status();
    if (!status.ok()) return failed_(std::move(status));
    if (is_any && !Append(durable).ok()) return;  // no room for it
    lock.lock();
  }
}

// Those whose bytes are in their volumes, of which the last ones of a compressed volume wait for their frame; and the
// frames that are new.
Journal Checkpoints::TakeDurable(std::vector<WrittenStep>* steps) {
  Journal durable;
  std::map<uint16_t, uint64_t> ends;
  auto end_of = [&](uint16_t volume) {
    const auto [found, is_new] = ends.try_emplace(volume, 0);
    if (!is_new) return found->second;
    std::vector<uint64_t> offsets;
    found->second = catalogue_.sinks[volume]->Written(frames_[volume], &offsets);
    if (!offsets.empty()) durable.frames[volume] = std::move(offsets);
    return found->second;
  };
  std::vector<WrittenStep> left;
  for (WrittenStep& step : *steps) {
    const bool is_in = step.end() <= end_of(catalogue_.plan.steps[step.step].volume);
    (is_in ? durable.steps : left).push_back(std::move(step));
  }
  *steps = std::move(left);
  return durable;
}

Status Checkpoints::SyncVolumes(const Journal& durable) const {
  std::set<uint16_t> written;
  for (const WrittenStep& step : durable.steps) written.insert(catalogue_.plan.steps[step.step].volume);
  for (const auto& [volume, offsets] : durable.frames) written.insert(volume);
  for (uint16_t volume : written) SHOAL_RETURN_IF_ERROR(Sync(volumes_[volume]));
  return Status();
}

// Behind what was read of it: half of a record that a stopped run left is written over. The frames come before the
// steps that lie in them.
Status Checkpoints::Append(const Journal& durable) {
  if (length_ == 0) SHOAL_RETURN_IF_ERROR(Sync(options_.plan));
  UniqueFd fd(open(options_.journal.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666));
  if (!fd.valid()) return Status::FromErrno("cannot open", options_.journal, errno);
  if (ftruncate(fd.get(), static_cast<off_t>(length_)) != 0)
    return Status::FromErrno("cannot truncate", options_.journal, errno);
  std::string records;
  for (const auto& [volume, offsets] : durable.frames) {
    uint64_t& count = frames_[volume];
    AppendFrames(volume, count, offsets, &records);
    count += offsets.size() - 1;
  }
  for (const WrittenStep& step : durable.steps) AppendStep(step, &records);
  SHOAL_RETURN_IF_ERROR(WriteExact(fd.get(), options_.journal, length_, records.data(), records.size()));
  if (fdatasync(fd.get()) != 0) return Status::FromErrno("cannot sync", options_.journal, errno);
  length_ += records.size();
  return Status();
}

}  // namespace shoal
