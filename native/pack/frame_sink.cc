#include "pack/frame_sink.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>

#include "core/format.h"
#include "core/seek_table.h"
#include "pack/volume_frame.h"

namespace shoal {
namespace {

// Frames that may be ahead of the first one without a place: 64 MiB of plain bytes, far more than a thread takes at
// once.
constexpr uint64_t kAhead = 512;
constexpr auto kLookAgain = std::chrono::milliseconds(50);
constexpr int kFlags = O_WRONLY | O_CLOEXEC | O_NOFOLLOW;

}  // namespace

// Frames back to back, with a place in the file.
struct FrameSink::Run {
  uint64_t first = 0;  // frame
  uint64_t offset = 0;
  std::string bytes;
};

Status FrameSink::Create(const std::string& path, uint64_t plain_length, int level, std::function<bool()> stopped,
                         std::unique_ptr<VolumeSink>* out) {
  std::unique_ptr<FrameSink> sink(new FrameSink(path, plain_length, level, std::move(stopped)));
  sink->fd_.reset(open(path.c_str(), kFlags | O_CREAT | O_EXCL, 0666));
  if (!sink->fd_.valid()) return Status::FromErrno("cannot create", path, errno);
  *out = std::move(sink);
  return Status();
}

Status FrameSink::Resume(const std::string& path, uint64_t plain_length, int level, std::function<bool()> stopped,
                         std::vector<uint64_t> offsets, std::unique_ptr<VolumeSink>* out) {
  std::unique_ptr<FrameSink> sink(new FrameSink(path, plain_length, level, std::move(stopped)));
  SHOAL_RETURN_IF_ERROR(sink->Open());
  if (ftruncate(sink->fd_.get(), static_cast<off_t>(offsets.back())) != 0)
    return Status::FromErrno("cannot truncate", path, errno);
  sink->begin_ = (offsets.size() - 1) * sink->frames_.frame_length;
  sink->frames_.offsets = std::move(offsets);
  sink->has_head_ = true;
  *out = std::move(sink);
  return Status();
}

FrameSink::FrameSink(std::string path, uint64_t plain_length, int level, std::function<bool()> stopped)
    : path_(std::move(path)), level_(level), stopped_(std::move(stopped)) {
  frames_.plain_length = plain_length;
  frames_.frame_length = FrameLengthOf(plain_length, format::kFrameLength);
  frames_.offsets = {0};
}

Status FrameSink::Write(uint64_t offset, const char* data, size_t size) {
  if (offset < kVolumeHeadLength) return WriteHead(offset, data, size);
  const auto known = static_cast<size_t>(std::min<uint64_t>(size, begin_ - std::min(begin_, offset)));
  offset += known;
  data += known;
  size -= known;
  while (size > 0) {
    const uint64_t frame = offset / frames_.frame_length;
    const auto from = static_cast<size_t>(offset % frames_.frame_length);
    const size_t part = std::min(size, LengthOf(frame) - from);
    if (!AwaitTurn(frame)) return Status();
    SHOAL_RETURN_IF_ERROR(part == LengthOf(frame) ? Encode(frame, data, part) : AddPart(frame, from, data, part, part));
    offset += part;
    data += part;
    size -= part;
  }
  return Status();
}

size_t FrameSink::LengthOf(uint64_t frame) const {
  return static_cast<size_t>(std::min(frames_.frame_length, frames_.plain_length - frame * frames_.frame_length));
}

// False where all are to stop.
bool FrameSink::AwaitTurn(uint64_t frame) {
  std::unique_lock<std::mutex> lock(mutex_);
  while (frame >= frames_.offsets.size() - 1 + kAhead) {
    if (stopped_()) return false;
    placed_.wait_for(lock, kLookAgain);
  }
  return true;
}

// The first frame begins with the head as it is, so it can be changed where it lies.
Status FrameSink::WriteHead(uint64_t offset, const char* data, size_t size) {
  std::unique_lock<std::mutex> lock(mutex_);
  const size_t added = has_head_ ? 0 : size;
  has_head_ = true;
  if (frames_.offsets.size() == 1) {
    lock.unlock();
    return AddPart(0, static_cast<size_t>(offset), data, size, added);
  }
  SHOAL_RETURN_IF_ERROR(Open());
  return WriteExact(fd_.get(), path_, FrameEncoder::kStoredOffset + offset, data, size);
}

// `added` is how many of the bytes were not there before.
Status FrameSink::AddPart(uint64_t frame, size_t offset, const char* data, size_t size, size_t added) {
  Part whole;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    Part& part = parts_[frame];
    part.bytes.resize(LengthOf(frame));
    std::memcpy(part.bytes.data() + offset, data, size);
    part.filled += added;
    if (part.filled < part.bytes.size()) return Status();
    whole = std::move(part);
    parts_.erase(frame);
  }
  return Encode(frame, whole.bytes.data(), whole.bytes.size());
}

Status FrameSink::Encode(uint64_t frame, const char* plain, size_t size) {
  std::unique_ptr<FrameEncoder> encoder;
  SHOAL_RETURN_IF_ERROR(TakeEncoder(&encoder));
  const auto* bytes = reinterpret_cast<const uint8_t*>(plain);
  Bytes encoded;
  if (frame == 0) {
    SHOAL_RETURN_IF_ERROR(encoder->EncodeFirst(bytes, size, kVolumeHeadLength, &encoded));
  } else {
    SHOAL_RETURN_IF_ERROR(encoder->Encode(bytes, size, &encoded));
  }
  SHOAL_RETURN_IF_ERROR(WriteReady(frame, encoded));
  GiveBack(std::move(encoder));
  return Status();
}

Status FrameSink::TakeEncoder(std::unique_ptr<FrameEncoder>* encoder) {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (!encoders_.empty()) {
      *encoder = std::move(encoders_.back());
      encoders_.pop_back();
      return Status();
    }
  }
  return FrameEncoder::Create(level_, encoder);
}

void FrameSink::GiveBack(std::unique_ptr<FrameEncoder> encoder) {
  std::lock_guard<std::mutex> lock(mutex_);
  encoders_.push_back(std::move(encoder));
}

// Writes the frame, and those behind it that waited for it.
Status FrameSink::WriteReady(uint64_t frame, Bytes encoded) {
  Run run;
  int fd;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    const auto* const bytes = reinterpret_cast<const char*>(encoded.data);
    if (frame != frames_.offsets.size() - 1) {
      waiting_.emplace(frame, std::string(bytes, encoded.size));
      return Status();
    }
    run.first = frame;
    run.offset = frames_.offsets.back();
    run.bytes.assign(bytes, encoded.size);
    frames_.offsets.push_back(frames_.offsets.back() + encoded.size);
    for (auto next = waiting_.begin(); next != waiting_.end() && next->first == frames_.offsets.size() - 1;) {
      run.bytes.append(next->second);
      frames_.offsets.push_back(frames_.offsets.back() + next->second.size());
      next = waiting_.erase(next);
    }
    writing_.insert(run.first);
    SHOAL_RETURN_IF_ERROR(Open());
    fd = fd_.get();
  }
  placed_.notify_all();
  SHOAL_RETURN_IF_ERROR(WriteExact(fd, path_, run.offset, run.bytes.data(), run.bytes.size()));
  sync_file_range(fd, static_cast<off64_t>(run.offset), static_cast<off64_t>(run.bytes.size()), SYNC_FILE_RANGE_WRITE);
  std::lock_guard<std::mutex> lock(mutex_);
  writing_.erase(run.first);
  return Status();
}

uint64_t FrameSink::Written(uint64_t first, std::vector<uint64_t>* offsets) {
  std::lock_guard<std::mutex> lock(mutex_);
  const uint64_t count = writing_.empty() ? frames_.offsets.size() - 1 : *writing_.begin();
  const auto begin = frames_.offsets.begin();
  offsets->assign(begin + static_cast<int64_t>(std::min(first, count)), begin + static_cast<int64_t>(count) + 1);
  return std::min(count * frames_.frame_length, frames_.plain_length);
}

void FrameSink::Rest() {
  std::lock_guard<std::mutex> lock(mutex_);
  encoders_.clear();
  fd_.reset();
}

Status FrameSink::Sync() {
  std::lock_guard<std::mutex> lock(mutex_);
  const uint64_t count = (frames_.plain_length + frames_.frame_length - 1) / frames_.frame_length;
  if (frames_.offsets.size() != count + 1) {
    return Status(Code::kInternal, "expected " + std::to_string(count) + " frames of the volume, found " +
                                       std::to_string(frames_.offsets.size() - 1))
        .At(path_);
  }
  std::string table;
  SHOAL_RETURN_IF_ERROR(EncodeSeekTable(frames_.offsets, frames_.plain_length, frames_.frame_length, &table));
  SHOAL_RETURN_IF_ERROR(Open());
  SHOAL_RETURN_IF_ERROR(WriteExact(fd_.get(), path_, frames_.offsets.back(), table.data(), table.size()));
  return fdatasync(fd_.get()) == 0 ? Status() : Status::FromErrno("cannot sync", path_, errno);
}

Status FrameSink::Open() {
  if (fd_.valid()) return Status();
  fd_.reset(open(path_.c_str(), kFlags));
  return fd_.valid() ? Status() : Status::FromErrno("cannot open", path_, errno);
}

}  // namespace shoal
