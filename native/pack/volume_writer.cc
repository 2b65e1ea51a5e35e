#include "pack/volume_writer.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <map>
#include <mutex>

#include "core/crc32c.h"
#include "core/format.h"
#include "core/run_threads.h"
#include "pack/file_reader.h"
#include "pack/member_builder.h"
#include "pack/tar_header.h"
#include "pack/volume_frame.h"
#include "pack/volume_set.h"

namespace shoal {
namespace {

// Bytes of a large file that a thread holds at once.
constexpr uint64_t kPiece = 1 << 20;
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
  Writer(PackCatalogue* catalogue, const std::vector<std::string>& paths, unsigned jobs, Progress* progress)
      : catalogue_(*catalogue),
        volumes_(catalogue, paths, [this] { return failing_ || Stopped(); }),
        jobs_(std::max(1U, jobs)),
        progress_(*progress),
        failing_(!catalogue->complete) {}

  Status Run(Written* out);

 private:
  friend class WriterThread;

  Status CompleteVolume(size_t number);
  void FillCopies();
  // Whether it is packed as the walk saw it, whatever has become of it.
  bool Keeps(uint32_t entry) const { return catalogue_.skips_unreadable && catalogue_.IsDirectory(entry); }
  void Report(uint32_t entry, const Status& status);
  void Fail(Status status);
  bool Stopped() const {
    return stop_.load(std::memory_order_relaxed) || progress_.cancel.load(std::memory_order_relaxed) != 0;
  }

  PackCatalogue& catalogue_;
  VolumeSet volumes_;
  const unsigned jobs_;
  Progress& progress_;
  std::atomic<size_t> next_step_{0};
  std::atomic<size_t> next_directory_{0};
  std::atomic<bool> failing_;
  std::atomic<bool> stop_{false};

  std::mutex mutex_;
  Status failure_;
  std::map<uint32_t, Problem> problems_;  // by entry: a large file is looked at in several steps
};

class WriterThread {
 public:
  explicit WriterThread(Writer* writer)
      : writer_(*writer),
        catalogue_(writer->catalogue_),
        builder_(&writer->catalogue_),
        reader_(&writer->catalogue_, writer->jobs_) {}

  void Run();

 private:
  Status WriteMembers(const PlanStep& step);
  Status WriteLarge(const PlanStep& step);
  Status Read(uint32_t entry, int fd, uint64_t offset, char* to, size_t size);
  Status AddSmallFile(uint32_t entry, size_t stored);
  void SetPlace(uint32_t entry, uint16_t volume, uint64_t offset);
  void Checksum(uint32_t entry, uint64_t stored, uint64_t offset, const char* data, size_t size);
  char* Extend(size_t size);
  Status Settle(uint32_t entry, Status status);

  Writer& writer_;
  PackCatalogue& catalogue_;
  MemberBuilder builder_;
  FileReader reader_;
  std::string header_;
  std::vector<char> buffer_ = std::vector<char>(Plan::kMembersLength + Plan::kLargeFile);
  size_t used_ = 0;
};

Status Writer::Run(Written* out) {
  const Plan& plan = catalogue_.plan;
  progress_.entries_total = catalogue_.size();
  progress_.bytes_total = plan.stored_bytes;
  SHOAL_RETURN_IF_ERROR(RunThreads(jobs_, [this](unsigned) { WriterThread(this).Run(); }));
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
  FillCopies();
  // A tree without anything below its root has nothing but a tail.
  return plan.steps.empty() ? CompleteVolume(0) : Status();
}

// Writes what stands behind the members, all of which are written.
Status Writer::CompleteVolume(size_t number) {
  const Plan& plan = catalogue_.plan;
  const VolumePlan& volume = plan.volumes[number];
  std::string text;
  uint64_t offset = volume.tail_offset;
  uint64_t first = 0;
  std::vector<uint32_t> values;
  auto flush = [&]() -> Status {
    text.clear();
    AppendTailValues(TailValues::kChecksums, first, values.data(), values.size(), &text);
    SHOAL_RETURN_IF_ERROR(volumes_.Write(number, offset, text.data(), text.size()));
    offset += text.size();
    first += values.size();
    values.clear();
    return Status();
  };
  for (size_t i = volume.first_step; i < volume.first_step + volume.step_count; i++) {
    const PlanStep& step = plan.steps[i];
    if (step.kind != PlanStep::Kind::kMembers) continue;
    for (uint32_t member = step.first; member < step.first + step.count; member++) {
      const uint32_t entry = plan.EntryOf(member);
      if (!catalogue_.HasData(entry)) continue;
      const uint64_t stored = StoredBytes(catalogue_, entry);
      const uint64_t count = ChecksumCount(catalogue_.sizes[entry], stored);
      for (uint64_t value = 0; value < count; value++) {
        values.push_back(stored > format::kChunkLength ? catalogue_.chunk_checksums[catalogue_.checksums[entry] + value]
                                                       : catalogue_.checksums[entry]);
        if (values.size() == kValuesPerHeader) SHOAL_RETURN_IF_ERROR(flush());
      }
    }
  }
  if (!values.empty()) SHOAL_RETURN_IF_ERROR(flush());
  text.clear();
  AppendTailLinks(volume.links, &text);
  if (first != volume.checksum_count || offset + text.size() != volume.pieces_offset) {
    return Status(Code::kInternal, "the volume's tail does not end where it was planned")
        .At(volumes_.path(number), static_cast<int64_t>(offset));
  }
  SHOAL_RETURN_IF_ERROR(volumes_.Write(number, offset, text.data(), text.size()));
  volumes_.Close(number);
  return Status();
}

void Writer::FillCopies() {
  for (uint32_t entry = 0; entry < catalogue_.originals.size(); entry++) {
    if (!catalogue_.IsCopy(entry)) continue;
    const uint32_t original = catalogue_.originals[entry];
    catalogue_.offsets[entry] = catalogue_.offsets[original];
    catalogue_.checksums[entry] = catalogue_.checksums[original];
    if (!catalogue_.volumes.empty()) catalogue_.volumes[entry] = catalogue_.volumes[original];
  }
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
  for (size_t i; !writer_.Stopped() && (i = writer_.next_step_.fetch_add(1)) < plan.steps.size();) {
    const PlanStep& step = plan.steps[i];
    Status status = step.kind == PlanStep::Kind::kStored ? WriteLarge(step) : WriteMembers(step);
    const bool completes = writer_.volumes_.EndStep(step.volume) && !writer_.failing_ && !writer_.Stopped();
    if (status.ok() && completes) status = writer_.CompleteVolume(step.volume);
    if (!status.ok()) return writer_.Fail(std::move(status));
  }
  // Last, when nearly everything was read: a directory that got or lost a name in the meantime is no longer what the
  // catalogue says.
  for (size_t i; !writer_.Stopped() && (i = writer_.next_directory_.fetch_add(1)) < plan.directories.size();) {
    const uint32_t directory = plan.directories[i];
    if (catalogue_.made_up_root && directory == 0) continue;
    Status status = Settle(directory, reader_.CheckPath(directory));
    if (!status.ok()) return writer_.Fail(std::move(status));
  }
}

Status WriterThread::WriteMembers(const PlanStep& step) {
  used_ = 0;
  uint64_t bytes = 0;
  uint32_t members = 0;
  for (uint32_t number = step.first; number < step.first + step.count; number++) {
    if (writer_.Stopped()) return Status();
    const bool is_directory_step = step.kind == PlanStep::Kind::kDirectories;
    const uint32_t entry = is_directory_step ? catalogue_.plan.directories[number] : catalogue_.plan.EntryOf(number);
    if (catalogue_.IsDirectory(entry) != is_directory_step) continue;
    members++;
    if (catalogue_.IsCopy(entry)) SHOAL_RETURN_IF_ERROR(Settle(entry, reader_.CheckPath(entry)));
    header_.clear();
    builder_.Append(entry, &header_);
    std::memcpy(Extend(header_.size()), header_.data(), header_.size());
    if (!catalogue_.HasData(entry)) continue;
    SetPlace(entry, step.volume, step.offset + used_);
    const uint64_t stored = StoredBytes(catalogue_, entry);
    if (stored > Plan::kLargeFile) continue;  // its data are steps of their own
    SHOAL_RETURN_IF_ERROR(Settle(entry, AddSmallFile(entry, static_cast<size_t>(stored))));
    bytes += stored;
  }
  if (!writer_.failing_) SHOAL_RETURN_IF_ERROR(writer_.volumes_.Write(step.volume, step.offset, buffer_.data(), used_));
  writer_.progress_.entries_done.fetch_add(members, std::memory_order_relaxed);
  writer_.progress_.bytes_done.fetch_add(bytes, std::memory_order_relaxed);
  return Status();
}

Status WriterThread::AddSmallFile(uint32_t entry, size_t stored) {
  UniqueFd fd;
  SHOAL_RETURN_IF_ERROR(reader_.Open(entry, &fd));
  char* to = Extend(Padded(stored));
  if (!writer_.failing_) {
    SHOAL_RETURN_IF_ERROR(Read(entry, fd.get(), 0, to, stored));
    std::memset(to + stored, 0, Padded(stored) - stored);
    Checksum(entry, stored, 0, to, stored);
  }
  return reader_.Check(entry, fd.get());
}

// A failure is told as what it comes from, where the file was replaced.
Status WriterThread::Read(uint32_t entry, int fd, uint64_t offset, char* to, size_t size) {
  Status read = reader_.ReadStored(entry, fd, offset, to, size);
  if (read.ok()) return read;
  Status check = reader_.Check(entry, fd);
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
    Status read = Read(entry, fd.get(), step.stored_offset + done, to, size);
    if (!read.ok()) return Settle(entry, std::move(read));
    Checksum(entry, stored, step.stored_offset + done, to, size);
    std::memset(to + size, 0, used_ - size);
    SHOAL_RETURN_IF_ERROR(writer_.volumes_.Write(step.volume, step.offset + done, to, used_));
    done += size;
    writer_.progress_.bytes_done.fetch_add(size, std::memory_order_relaxed);
  }
  return Settle(entry, reader_.Check(entry, fd.get()));
}

// `offset` is where `data` begin in the file's stored bytes, at a chunk.
void WriterThread::Checksum(uint32_t entry, uint64_t stored, uint64_t offset, const char* data, size_t size) {
  if (stored <= format::kChunkLength) {
    catalogue_.checksums[entry] = Crc32c(data, size);
    return;
  }
  uint32_t* row = &catalogue_.chunk_checksums[catalogue_.checksums[entry] + offset / format::kChunkLength];
  for (size_t at = 0; at < size; at += format::kChunkLength) {
    *row++ = Crc32c(data + at, std::min<size_t>(format::kChunkLength, size - at));
  }
}

// `offset` is where the stored bytes of the file begin in the volume.
void WriterThread::SetPlace(uint32_t entry, uint16_t volume, uint64_t offset) {
  if (ExtentList* list = FindExtents(&catalogue_, entry)) {
    for (Extent& extent : list->extents) {
      extent.volume = volume;
      extent.offset = offset;
      offset += extent.length;
    }
  } else if (catalogue_.sizes[entry] > 0) {
    catalogue_.offsets[entry] = offset;
    if (!catalogue_.volumes.empty()) catalogue_.volumes[entry] = volume;
  }
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

Status WriteVolumes(PackCatalogue* catalogue, const std::vector<std::string>& paths, unsigned jobs, Progress* progress,
                    Written* out) {
  return Writer(catalogue, paths, jobs, progress).Run(out);
}

}  // namespace shoal
