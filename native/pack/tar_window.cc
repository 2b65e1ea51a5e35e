#include "pack/tar_window.h"

#include <fcntl.h>

#include <algorithm>
#include <cstring>

#include "core/framed_volume.h"

namespace shoal::tar {
namespace {

// Measured on 100 000 members of 6 kB in the page cache: with these numbers a million entries a second, with 4 KiB for
// each member 0.75 million.
constexpr uint64_t kDenseStride = 16384;
constexpr size_t kDenseWindow = 262144;
constexpr size_t kSparseWindow = 4096;
constexpr uint8_t kZstdMagic[] = {0x28, 0xB5, 0x2F, 0xFD};

// Of decompressed frames: what is read ahead, and some to come back to.
constexpr uint64_t kCacheBytes = 64 << 20;

constexpr uint64_t kLongestStep = 1 << 20;  // one big member among small ones must not count for more

}  // namespace

Status TarWindow::Open(const std::string& path) {
  std::shared_ptr<const ArchiveFile> file;
  SHOAL_RETURN_IF_ERROR(ArchiveFile::Open(path, &file));
  source_ = file;
  uint8_t magic[sizeof kZstdMagic] = {};
  if (file->length() > sizeof magic) SHOAL_RETURN_IF_ERROR(file->Read(0, magic, sizeof magic));
  if (std::memcmp(magic, kZstdMagic, sizeof magic) == 0) return OpenFrames(std::move(file));
  // Without it the kernel would read ahead the data of big members. Advice only: an error changes nothing.
  (void)posix_fadvise(file->fd(), 0, 0, POSIX_FADV_RANDOM);
  return Status();
}

// A file without a seek table, or with one that no index can use, is left as it is: it is no tar.
Status TarWindow::OpenFrames(std::shared_ptr<const ArchiveFile> file) {
  const Status status = ReadSeekTable(*file, &frames_);
  if (status.code() == Code::kUnsupported) frames_ = SeekTable();
  if (!status.ok()) return status.code() == Code::kUnsupported ? Status() : status;
  const auto locate = [offsets = frames_.offsets](uint64_t frame, FramePlace* out) {
    *out = {offsets[frame], static_cast<size_t>(offsets[frame + 1] - offsets[frame])};
    return Status();
  };
  source_ =
      std::make_shared<FramedVolume>(std::move(file), frames_.plain_length, static_cast<size_t>(frames_.frame_length),
                                     locate, std::make_shared<ReadCounters>());
  cache_ = std::make_unique<VolumeCache>(kCacheBytes);
  bool usable;
  return cache_->Start(*source_, &usable);
}

Status TarWindow::Read(uint64_t offset, uint8_t* to, size_t size) const {
  return cache_ == nullptr ? source_->Read(offset, to, size) : cache_->Read(source_, offset, to, size, counters_);
}

Status TarWindow::Has(uint64_t offset, size_t length, bool* out) {
  if (stream_ != nullptr) SHOAL_RETURN_IF_ERROR(FillFromStream(offset, length));
  *out = offset <= size() && length <= size() - offset;
  return Status();
}

Status TarWindow::View(uint64_t offset, size_t length, const uint8_t** out) {
  if (stream_ != nullptr) SHOAL_RETURN_IF_ERROR(FillFromStream(offset, length));
  if (offset > size() || length > size() - offset) {
    return Status(Code::kTruncated, "expected " + std::to_string(length) + " bytes, found the end of the file at " +
                                        std::to_string(size()) + "; the archive is incomplete, copy it anew")
        .At(path(), static_cast<int64_t>(offset));
  }
  if (stream_ == nullptr) SHOAL_RETURN_IF_ERROR(FillFromFile(offset, length));
  *out = buffer_.data() + (offset - start_);
  return Status();
}

Status TarWindow::FillFromFile(uint64_t offset, size_t length) {
  const uint64_t step = std::min(offset - std::min(offset, last_), kLongestStep);
  stride_ = stride_ - stride_ / 8 + step / 8;
  last_ = offset;
  if (offset >= start_ && offset + length <= start_ + filled_) return Status();
  const size_t window = stride_ <= kDenseStride ? kDenseWindow : kSparseWindow;
  const size_t wanted = static_cast<size_t>(std::min<uint64_t>(std::max(window, length), size() - offset));
  if (buffer_.size() < wanted) buffer_.resize(std::max(wanted, kDenseWindow));
  filled_ = 0;
  SHOAL_RETURN_IF_ERROR(Read(offset, buffer_.data(), wanted));
  start_ = offset;
  filled_ = wanted;
  return Status();
}

// Brings the bytes into buffer_, as far as there are any: if not, the stream's size is known from then on.
Status TarWindow::FillFromStream(uint64_t offset, size_t length) {
  if (offset >= start_ && offset + length <= start_ + filled_) return Status();
  if (stream_size_ != UINT64_MAX) return Status();  // the end was met
  if (offset > start_ + filled_) {
    uint64_t skipped;
    const uint64_t end = start_ + filled_;
    SHOAL_RETURN_IF_ERROR(stream_->Skip(offset - end, &skipped));
    start_ = end + skipped;
    filled_ = 0;
    if (start_ < offset) stream_size_ = start_;
    if (start_ < offset) return Status();
  } else {
    const auto passed = static_cast<size_t>(offset - start_);
    std::copy(buffer_.data() + passed, buffer_.data() + filled_, buffer_.data());
    filled_ -= passed;
    start_ = offset;
  }
  const size_t wanted = std::max(length, kDenseWindow);
  if (buffer_.size() < wanted) buffer_.resize(wanted);
  size_t got;
  SHOAL_RETURN_IF_ERROR(stream_->Read(buffer_.data() + filled_, wanted - filled_, &got));
  if (got < wanted - filled_) stream_size_ = start_ + filled_ + got;
  filled_ += got;
  return Status();
}

}  // namespace shoal::tar
