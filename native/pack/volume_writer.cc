#include "pack/volume_writer.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <map>
#include <mutex>

#include "core/format.h"
#include "core/growing_threads.h"
#include "core/run_threads.h"
#include "pack/file_reader.h"
#include "pack/member_builder.h"
#include "pack/step_replay.h"
#include "pack/step_turns.h"
#include "pack/stored_content.h"
#include "pack/tar_header.h"
#include "pack/volume_set.h"
#include "pack/volume_tail.h"

namespace shoal {
namespace {

// Bytes of a large file that a thread holds at once.
constexpr uint64_t kPiece = 1 << 20;
// Steps under way at once, where the number of threads is not given: each takes one or two MiB, and of large files
// these are all that storage is asked for.
constexpr unsigned kSteps = 8;
static_assert(kPiece % format::kChunkLength == 0 && Plan::kLargeStep % kPiece == 0,
              "pieces and steps begin with a chunk");

// Errors of the process or the machine, not of a path: they end the run.
bool IsFatal(const Status& status) {
  return status.code() == Code::kInternal || status.error() == EMFILE || status.error() == ENFILE ||
         status.error() == ENOMEM;
}

// What the threads share.
class Writer {
 public:
  Writer(PackCatalogue* catalogue, const std::vector<std::string>& paths,
         const std::optional<CheckpointOptions>& checkpoints, unsigned jobs, Progress* progress)
      : catalogue_(*catalogue),
        volumes_(
            catalogue, paths, catalogue->plan.level, [this] { return failing_ || Stopped(); },
            checkpoints && checkpoints->resume),
        threads_(jobs, GrowingThreads::kMost, catalogue->threads),
        turns_(catalogue->plan.steps.size(), jobs > 0 ? jobs : std::max(kSteps, ThreadCount(jobs)), &threads_,
               [this] { return Stopped(); }),
        progress_(*progress),
        failing_(!catalogue->complete) {
    if (checkpoints) checkpoints_ = std::make_unique<Checkpoints>(*catalogue, paths, *checkpoints);
  }

  Status Run(Written* out);

 private:
  friend class WriterThread;

  Status StartCheckpoints();
  Status CompleteVolume(size_t number);
  std::vector<char> TakeBuffer();
  void GiveBack(std::vector<char> buffer);
  // Whether it is packed as the walk saw it, whatever has become of it.
  bool Keeps(uint32_t entry) const { return catalogue_.skips_unreadable && catalogue_.IsDirectory(entry); }
  void Report(uint32_t entry, const Status& status);
  void Fail(Status status);
  bool Stopped() const {
    return stop_.load(std::memory_order_relaxed) || progress_.cancel.load(std::memory_order_relaxed) != 0;
  }

  PackCatalogue& catalogue_;
  VolumeSet volumes_;
  GrowingThreads threads_;
  StepTurns turns_;
  Progress& progress_;
  std::atomic<size_t> next_directory_{0};
  std::atomic<bool> failing_;
  std::atomic<bool> stop_{false};
  std::unique_ptr<Checkpoints> checkpoints_;
  std::vector<WrittenStep> written_;  // by an earlier run, sorted by step

  std::mutex mutex_;                        // for all below
  std::vector<std::vector<char>> buffers_;  // that no step has
  Status failure_;
  std::map<uint32_t, Problem> problems_;  // by entry: a large file is looked at in several steps
};

class WriterThread {
 public:
  WriterThread(Writer* writer, unsigned worker)
      : writer_(*writer),
        worker_(worker),
        catalogue_(writer->catalogue_),
        builder_(&writer->catalogue_),
        reader_(&writer->catalogue_, writer->threads_.DirectoryCapacity(worker)) {}

  void Run();

 private:
  // Of a step of members: a small file, whose bytes get their place in the buffer before they are read; or a copy.
  struct StepFile {
    uint32_t entry;
    size_t at;
    size_t stored;
    bool is_copy;
  };

  Status WriteStep(size_t number);
  Status WriteMembers(const PlanStep& step);
  Status WriteLarge(const PlanStep& step);
  Status Read(FileReader* reader, uint32_t entry, int fd, uint64_t offset, char* to, size_t size);
  Status ReadSmall(const StepFile& file, FileReader* reader);
  void Count(uint32_t members, uint64_t bytes);
  char* Extend(size_t size);
  Status Settle(uint32_t entry, Status status);

  Writer& writer_;
  const unsigned worker_;
  PackCatalogue& catalogue_;
  MemberBuilder builder_;
  FileReader reader_;
  std::string header_;
  std::vector<char> buffer_;  // of the step, and how much of it is
  size_t used_ = 0;
  std::vector<StepFile> files_;
  std::vector<PieceSums::Run> runs_;  // of the step
};

Status Writer::Run(Written* out) {
  const Plan& plan = catalogue_.plan;
  progress_.entries_total = catalogue_.size();
  progress_.bytes_total = plan.stored_bytes;
  SHOAL_RETURN_IF_ERROR(StartCheckpoints());
  SHOAL_RETURN_IF_ERROR(threads_.Run([this](unsigned worker) { WriterThread(this, worker).Run(); }));
  if (checkpoints_ != nullptr) checkpoints_->Stop();
  SHOAL_RETURN_IF_ERROR(failure_);
  if (Stopped()) return Status(Code::kCancelled, "cancelled while the volumes were written");

  for (auto& problem : problems_) {
    if (Keeps(problem.first)) {
      out->directories.push_back(std::move(problem.second));
      continue;
    }
    out->failed_files.push_back(problem.first);
    (problem.second.code == Code::kChanged ? out->changed : out->unreadable).push_back(std::move(problem.second));
  }
  if (failing_) return Status();
  catalogue_.has_checksums = true;
  FillCopies(&catalogue_);
  // A tree without anything below its root has nothing but a tail.
  return plan.steps.empty() ? CompleteVolume(0) : Status();
}

Status Writer::StartCheckpoints() {
  // A volume that is of no use has nothing to go on with.
  if (checkpoints_ == nullptr || failing_) return Status();
  Journal journal;
  SHOAL_RETURN_IF_ERROR(checkpoints_->Open(&journal));
  volumes_.TakeFrames(journal.frames);
  std::vector<uint64_t> made;
  for (size_t volume = 0; volume < catalogue_.plan.volumes.size(); volume++) {
    made.push_back(volumes_.MadeLength(volume));
  }
  KeepWhatHolds(catalogue_.plan, made, &journal);
  SHOAL_RETURN_IF_ERROR(checkpoints_->Start(journal, [this](Status status) { Fail(std::move(status)); }));
  written_ = std::move(journal.steps);
  return Status();
}

// Writes what stands behind the members, all of which are written.
Status Writer::CompleteVolume(size_t number) {
  SHOAL_RETURN_IF_ERROR(WriteVolumeTail(catalogue_, number, &volumes_));
  volumes_.Close(number);
  return Status();
}

std::vector<char> Writer::TakeBuffer() {
  std::lock_guard<std::mutex> lock(mutex_);
  if (buffers_.empty()) return std::vector<char>(Plan::kMembersLength + Plan::kLargeFile);
  std::vector<char> buffer = std::move(buffers_.back());
  buffers_.pop_back();
  return buffer;
}

void Writer::GiveBack(std::vector<char> buffer) {
  std::lock_guard<std::mutex> lock(mutex_);
  buffers_.push_back(std::move(buffer));
}

void Writer::Report(uint32_t entry, const Status& status) {
  if (!Keeps(entry)) failing_ = true;
  Problem problem{status.code() == Code::kChanged ? Code::kChanged : Code::kUnreadable, catalogue_.SourcePath(entry),
                  status.message()};
  std::lock_guard<std::mutex> lock(mutex_);
  problems_.emplace(entry, std::move(problem));
}

void Writer::Fail(Status status) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (failure_.ok()) failure_ = std::move(status);
  stop_ = true;
}

void WriterThread::Run() {
  const Plan& plan = catalogue_.plan;
  for (size_t i; writer_.turns_.Take(worker_, &reader_, &i);) {
    buffer_ = writer_.TakeBuffer();
    Status status = WriteStep(i);
    writer_.GiveBack(std::move(buffer_));
    const uint16_t volume = plan.steps[i].volume;
    const bool completes = writer_.volumes_.EndStep(volume) && !writer_.failing_ && !writer_.Stopped();
    if (status.ok() && completes) status = writer_.CompleteVolume(volume);
    if (!status.ok()) writer_.Fail(std::move(status));
    writer_.turns_.End();
  }
  // Last, when nearly everything was read: a directory that got or lost a name in the meantime is no longer what the
  // catalogue says.
  if (!catalogue_.checks_directories) return;
  for (size_t i; !writer_.Stopped() && (i = writer_.next_directory_.fetch_add(1)) < plan.directories.size();) {
    const uint32_t directory = plan.directories[i];
    if (catalogue_.made_up_root && directory == 0) continue;
    Status status = Settle(directory, reader_.CheckPath(directory));
    writer_.threads_.Count(worker_);
    if (!status.ok()) return writer_.Fail(std::move(status));
  }
}

Status WriterThread::WriteStep(size_t number) {
  const PlanStep& step = catalogue_.plan.steps[number];
  const auto& written = writer_.written_;
  auto found = std::lower_bound(written.begin(), written.end(), number,
                                [](const WrittenStep& item, size_t wanted) { return item.step < wanted; });
  if (found != written.end() && found->step == number) {
    const ReplayedStep replayed = ReplayStep(step, *found, &builder_, &catalogue_);
    Count(replayed.members, replayed.bytes);
    return Status();
  }
  runs_.clear();
  SHOAL_RETURN_IF_ERROR(step.kind == PlanStep::Kind::kStored ? WriteLarge(step) : WriteMembers(step));
  if (writer_.checkpoints_ == nullptr || writer_.failing_ || writer_.Stopped()) return Status();
  WrittenStep done;
  done.step = static_cast<uint32_t>(number);
  done.checksums = ChecksumsOf(step, catalogue_);
  done.runs = runs_;
  writer_.checkpoints_->Add(std::move(done));
  return Status();
}

Status WriterThread::WriteMembers(const PlanStep& step) {
  used_ = 0;
  files_.clear();
  uint64_t bytes = 0;
  uint32_t members = 0;
  for (uint32_t number = step.first; number < step.first + step.count; number++) {
    const bool is_directory_step = step.kind == PlanStep::Kind::kDirectories;
    const uint32_t entry = is_directory_step ? catalogue_.plan.directories[number] : catalogue_.plan.EntryOf(number);
    if (catalogue_.IsDirectory(entry) != is_directory_step) continue;
    members++;
    if (catalogue_.IsCopy(entry)) files_.push_back({entry, 0, 0, true});
    header_.clear();
    builder_.Append(entry, &header_);
    std::memcpy(Extend(header_.size()), header_.data(), header_.size());
    if (!catalogue_.HasData(entry)) continue;
    SetPlace(&catalogue_, entry, step.volume, step.offset + used_);
    const uint64_t stored = StoredBytes(catalogue_, entry);
    if (stored > Plan::kLargeFile) continue;  // its data are steps of their own
    files_.push_back({entry, used_, static_cast<size_t>(stored), false});
    Extend(Padded(stored));
    bytes += stored;
  }
  auto read = [this](size_t file, FileReader* reader) {
    return writer_.Stopped() ? Status() : Settle(files_[file].entry, ReadSmall(files_[file], reader));
  };
  SHOAL_RETURN_IF_ERROR(writer_.turns_.ReadAll(worker_, &reader_, files_.size(), read));
  if (writer_.Stopped()) return Status();
  if (!writer_.failing_)
    SHOAL_RETURN_IF_ERROR(writer_.volumes_.Write(step.volume, step.offset, buffer_.data(), used_, &runs_));
  Count(members, bytes);
  return Status();
}

// On any thread.
Status WriterThread::ReadSmall(const StepFile& file, FileReader* reader) {
  if (file.is_copy) return reader->CheckPath(file.entry);
  UniqueFd fd;
  SHOAL_RETURN_IF_ERROR(reader->Open(file.entry, &fd));
  char* const to = buffer_.data() + file.at;
  if (!writer_.failing_) {
    SHOAL_RETURN_IF_ERROR(Read(reader, file.entry, fd.get(), 0, to, file.stored));
    std::memset(to + file.stored, 0, Padded(file.stored) - file.stored);
    SetChecksums(&catalogue_, file.entry, file.stored, 0, to, file.stored);
  }
  return reader->Check(file.entry, fd.get());
}

// A failure is told as what it comes from, where the file was replaced.
Status WriterThread::Read(FileReader* reader, uint32_t entry, int fd, uint64_t offset, char* to, size_t size) {
  Status read = reader->ReadStored(entry, fd, offset, to, size);
  if (read.ok()) return read;
  Status check = reader->Check(entry, fd);
  return check.ok() ? read : check;
}

Status WriterThread::WriteLarge(const PlanStep& step) {
  if (writer_.failing_ && step.stored_offset > 0) return Status();
  const uint32_t entry = step.first;
  UniqueFd fd;
  Status opened = reader_.Open(entry, &fd);
  if (!opened.ok()) return Settle(entry, std::move(opened));
  const uint64_t stored = StoredBytes(catalogue_, entry);
  for (uint64_t done = 0; done < step.stored_length && !writer_.failing_ && !writer_.Stopped();) {
    const auto size = static_cast<size_t>(std::min(kPiece, step.stored_length - done));
    used_ = 0;
    char* to = Extend(Padded(size));  // the file's last piece; the others have whole blocks
    Status read = Read(&reader_, entry, fd.get(), step.stored_offset + done, to, size);
    writer_.threads_.Count(worker_);
    if (!read.ok()) return Settle(entry, std::move(read));
    SetChecksums(&catalogue_, entry, stored, step.stored_offset + done, to, size);
    std::memset(to + size, 0, used_ - size);
    SHOAL_RETURN_IF_ERROR(writer_.volumes_.Write(step.volume, step.offset + done, to, used_, &runs_));
    done += size;
    Count(0, size);
  }
  return Settle(entry, reader_.Check(entry, fd.get()));
}

void WriterThread::Count(uint32_t members, uint64_t bytes) {
  writer_.progress_.entries_done.fetch_add(members, std::memory_order_relaxed);
  writer_.progress_.bytes_done.fetch_add(bytes, std::memory_order_relaxed);
}

char* WriterThread::Extend(size_t size) {
  if (used_ + size > buffer_.size()) buffer_.resize(std::max(used_ + size, buffer_.size() * 2));
  used_ += size;
  return buffer_.data() + used_ - size;
}

// Lists what is wrong with one path; hands back what is wrong with more than that.
Status WriterThread::Settle(uint32_t entry, Status status) {
  if (status.ok()) return status;
  if (IsFatal(status))
    return status.error() == 0 ? std::move(status)
                               : Status::FromErrno("cannot read", catalogue_.SourcePath(entry), status.error());
  writer_.Report(entry, status);
  return Status();
}

}  // namespace

Status WriteVolumes(PackCatalogue* catalogue, const std::vector<std::string>& paths,
                    const std::optional<CheckpointOptions>& checkpoints, unsigned jobs, Progress* progress,
                    Written* out) {
  Status status = Writer(catalogue, paths, checkpoints, jobs, progress).Run(out);
  // Else files that are removed would take their space until nobody holds the catalogue.
  if (!status.ok() || !out->failed_files.empty()) catalogue->sinks.clear();
  return status;
}

}  // namespace shoal
