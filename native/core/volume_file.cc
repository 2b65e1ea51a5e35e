#include "core/volume_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "core/crc32c.h"
#include "core/read_retry.h"

namespace shoal {
namespace {

// FORMAT §4.11: a name without a slash is a file beside the index.
std::string VolumePath(const std::string& index_path, const std::string& name) {
  const size_t slash = index_path.rfind('/');
  if (name[0] == '/' || slash == std::string::npos) return name;
  return index_path.substr(0, slash + 1) + name;
}

Status CheckProbe(int fd, const std::string& path, uint64_t offset, uint64_t length, uint32_t expected) {
  uint8_t bytes[format::kVolumeProbeLength];
  SHOAL_RETURN_IF_ERROR(ReadExact(fd, path, offset, bytes, length));
  const uint32_t found = Crc32c(bytes, length);
  if (found == expected) return Status();
  return Status(Code::kWrongVolume, "expected the volume that the index describes (CRC32C " + std::to_string(expected) +
                                        " of " + std::to_string(length) + " bytes), found another file (" +
                                        std::to_string(found) +
                                        "); put the volume there that was made together with the index")
      .At(path, static_cast<int64_t>(offset));
}

}  // namespace

Status VolumeFile::Open(const std::string& index_path, const VolumeInfo& info, std::optional<StorageKind> storage,
                        std::shared_ptr<ReadCounters> counters, std::shared_ptr<const VolumeFile>* out) {
  std::shared_ptr<VolumeFile> file(new VolumeFile());
  file->index_path_ = index_path;
  file->info_ = info;
  file->path_ = VolumePath(index_path, info.name);
  SHOAL_RETURN_IF_ERROR(OpenChecked(index_path, info, file->path_, &file->fd_));
  file->storage_ = storage ? *storage : KindOfStorage(file->fd_.get());
  file->counters_ = std::move(counters);
  *out = std::move(file);
  return Status();
}

Status VolumeFile::OpenChecked(const std::string& index_path, const VolumeInfo& info, const std::string& path,
                               UniqueFd* out) {
  UniqueFd fd;
  uint64_t length = 0;
  Status opened = OpenRegular(path, Code::kWrongVolume, &fd, &length);
  if (opened.code() == Code::kMissing) {
    return Status(Code::kMissing, "expected the volume of " + index_path +
                                      " here, found nothing; an index and its volumes lie together: copy or move both")
        .At(path);
  }
  if (!opened.ok()) return opened;
  if (length != info.length) {
    const bool shorter = length < info.length;
    return Status(shorter ? Code::kTruncated : Code::kWrongVolume,
                  "expected a volume of " + std::to_string(info.length) + " bytes, found " + std::to_string(length) +
                      (shorter ? "; copy it anew" : "; put the volume there that was made together with the index"))
        .At(path, static_cast<int64_t>(std::min(length, info.length)));
  }
  const uint64_t probe = std::min<uint64_t>(length, format::kVolumeProbeLength);
  SHOAL_RETURN_IF_ERROR(CheckProbe(fd.get(), path, 0, probe, info.head_checksum));
  SHOAL_RETURN_IF_ERROR(CheckProbe(fd.get(), path, length - probe, probe, info.tail_checksum));
  *out = std::move(fd);
  return Status();
}

Status VolumeFile::Read(uint64_t offset, uint8_t* to, size_t size) const {
  unsigned failures = 0;
  for (size_t done = 0; done < size;) {
    const ssize_t n = pread(fd_.get(), to + done, size - done, static_cast<off_t>(offset + done));
    const int error = n < 0 ? errno : 0;
    counters_->storage_reads.Add();
    if (n > 0) {
      counters_->storage_bytes.Add(static_cast<uint64_t>(n));
      done += static_cast<size_t>(n);
      if (done < size) counters_->retries.Add();
    } else if (error != EINTR) {
      SHOAL_RETURN_IF_ERROR(Recover(offset + done, error, failures++));
    }
  }
  return Status();
}

// After a read at `at` that gave no byte (`error` 0: the end of the file): pauses, so that it may be tried again, or
// says that it is final.
Status VolumeFile::Recover(uint64_t at, int error, unsigned failures) const {
  const bool network = storage_ == StorageKind::kNetwork;
  const bool cut = error == 0 && IsCutAt(at);
  unsigned retries = network ? kNetworkRetries : kLocalRetries;
  // Where the length says the same as the read, it is no hiccup; only a network filesystem may say it too early.
  if (cut) retries = network ? kLocalRetries : 0;
  if (failures >= retries || (error != 0 && !MayPass(error))) return Failure(at, error, cut);
  counters_->retries.Add();
  PauseToRetry(failures);
  if (error != EIO && error != ETIMEDOUT) Reopen();
  return Status();
}

Status VolumeFile::Failure(uint64_t at, int error, bool cut) const {
  const auto offset = static_cast<int64_t>(at);
  if (error != 0) return Status::FromErrno("cannot read", path_, error).At(path_, offset);
  const std::string expected = "expected " + std::to_string(info_.length) + " bytes as at opening, found ";
  if (cut) {
    return Status(Code::kTruncated, expected + std::to_string(at) + " at most; copy the volume anew").At(path_, offset);
  }
  return Status(Code::kIo, expected + "a file that has them, but gives none from here on; look at its storage")
      .At(path_, offset);
}

bool VolumeFile::IsCutAt(uint64_t at) const {
  struct stat info;
  return fstat(fd_.get(), &info) == 0 && static_cast<uint64_t>(info.st_size) <= at;
}

// A stale handle stays stale, and a length may be remembered with it; the same file opened again has neither. The
// descriptor keeps its number, so readers need no lock.
void VolumeFile::Reopen() const {
  UniqueFd fresh;
  if (!OpenChecked(index_path_, info_, path_, &fresh).ok()) return;
  dup3(fresh.get(), fd_.get(), O_CLOEXEC);  // fails only where the descriptor is not open
}

void VolumeFile::Forget(uint64_t offset, uint64_t size) const { ForgetPages(fd_.get(), offset, size); }

}  // namespace shoal
