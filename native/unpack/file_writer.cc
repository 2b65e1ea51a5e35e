#include "unpack/file_writer.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <mutex>
#include <utility>

#include "core/file.h"

namespace shoal {

// A file that was made and goes again unless it is completed.
class FileWriter::NewFile {
 public:
  NewFile() = default;
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;
  ~NewFile() { Discard(); }

  void Discard() {
    if (fd.valid()) unlinkat(directory, name.c_str(), 0);
    fd.reset();
  }

  // close() is where network filesystems tell that what was written could not be kept.
  Status Complete() {
    if (close(fd.get()) == 0 || errno == EINTR) {
      fd.release();
      return Status();
    }
    const Status status = Status::FromErrno("cannot complete the file", "", errno);
    fd.release();
    unlinkat(directory, name.c_str(), 0);
    return status;
  }

  UniqueFd fd;
  int directory = -1;
  UniqueFd kept_directory;  // of a large file: outlives the worker's next file
  std::string name;
};

class FileWriter::LargeFile : public LargeFileSink {
 public:
  LargeFile(FileWriter* writer, unsigned worker, const ContentFile& file) : writer_(*writer), file_(file) {
    status_ = writer_.Create(worker, file, &made_);
    if (!status_.ok()) return;
    made_.kept_directory.reset(fcntl(made_.directory, F_DUPFD_CLOEXEC, 0));
    if (made_.kept_directory.valid()) {
      made_.directory = made_.kept_directory.get();
    } else {
      status_ = Status::FromErrno("cannot keep the directory open", "", errno);
      made_.Discard();
    }
  }

  void Take(uint64_t offset, const uint8_t* data, size_t size) override {
    if (!made_.fd.valid() || failed_) return;
    Status status = WriteExact(made_.fd.get(), "", offset, data, size);
    if (status.ok()) return;
    std::lock_guard<std::mutex> lock(mutex_);
    if (status_.ok()) status_ = std::move(status);
    failed_ = true;
  }

  void Finish(const Status& damage) override {
    writer_.Finish(file_, damage.ok() ? std::move(status_) : damage, &made_);
  }

 private:
  FileWriter& writer_;
  const ContentFile& file_;
  NewFile made_;
  std::atomic<bool> failed_{false};
  std::mutex mutex_;
  Status status_;
};

void FileWriter::Small(unsigned worker, const ContentFile& file, const Status& damage, const uint8_t* stored) {
  NewFile made;
  Status status = damage;
  if (status.ok()) status = Create(worker, file, &made);
  for (size_t i = 0; status.ok() && i < file.extents.size(); i++) {
    const Extent& extent = file.extents[i];
    status = WriteExact(made.fd.get(), "", extent.file_offset, stored + file.starts[i], extent.length);
  }
  Finish(file, std::move(status), &made);
}

std::unique_ptr<LargeFileSink> FileWriter::Large(unsigned worker, const ContentFile& file) {
  return std::make_unique<LargeFile>(this, worker, file);
}

Status FileWriter::Create(unsigned worker, const ContentFile& file, NewFile* out) {
  int directory;
  SHOAL_RETURN_IF_ERROR(target_.OpenParent(worker, plan_.PlaceOf(file.entry.number), &directory, &out->name));
  out->directory = directory;
  SHOAL_RETURN_IF_ERROR(ExtractTarget::MakeNew(directory, out->name, "cannot make the file", [&] {
    // Nobody else's until it is complete.
    out->fd.reset(openat(directory, out->name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    return out->fd.valid() ? 0 : -1;
  }));
  if (!file.HasHoles() || ftruncate(out->fd.get(), static_cast<off_t>(file.entry.size)) == 0) return Status();
  return Status::FromErrno("cannot give the file its length", "", errno);
}

void FileWriter::Finish(const ContentFile& file, Status status, NewFile* made) {
  const uint32_t place = plan_.PlaceOf(file.entry.number);
  if (status.ok()) {
    metadata_.ApplyToOpen(place, file.entry, made->fd.get());
    status = made->Complete();
  }
  progress_.entries_done.fetch_add(1, std::memory_order_relaxed);
  if (status.ok()) {
    files_.fetch_add(1, std::memory_order_relaxed);
    bytes_.fetch_add(file.entry.size, std::memory_order_relaxed);
    return;
  }
  target_.SetFailed(place);
  if (IsFull(status))
    reader_.Stop(target_.AtPlace(place, std::move(status)));
  else if (!ExtractTarget::IsTold(status))
    problems_.Add(place, status);
}

}  // namespace shoal
