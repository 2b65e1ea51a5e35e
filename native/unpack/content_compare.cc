#include "unpack/content_compare.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <string>
#include <utility>

namespace shoal {
namespace {

constexpr uint64_t kNowhere = UINT64_MAX;
// What is read and compared at once; on the stack, and in a core's cache.
constexpr size_t kPiece = 65536;

}  // namespace

// An open file to compare with. Its methods but for Finish are called from several threads at once.
class ContentCompare::ComparedFile {
 public:
  ComparedFile(uint32_t name, UniqueFd fd) : name_(name), fd_(std::move(fd)) {}

  void Compare(uint64_t offset, const uint8_t* expected, uint64_t size) {
    uint8_t found[kPiece];
    for (uint64_t done = 0; done < size && offset + done < first_difference_;) {
      const size_t length = std::min<uint64_t>(kPiece, size - done);
      size_t got = 0;
      Status status = ReadUpTo(fd_.get(), "", offset + done, found, length, &got);
      if (!status.ok()) return Fail(std::move(status));
      if (got < length || std::memcmp(found, expected + done, length) != 0) {
        const auto place = std::mismatch(found, found + got, expected + done).first;
        return Differ(offset + done + static_cast<uint64_t>(place - found));
      }
      done += length;
    }
  }

  void Finish(const ContentFile& file, ComparedFiles* files) {
    if (file.HasHoles()) CompareHoles(file);
    Status outcome = failure_;
    if (outcome.ok() && first_difference_ != kNowhere) {
      outcome = Status(Code::kDifferent, "content: differs from byte " + std::to_string(first_difference_) + " on");
    }
    files->Compared(name_, fd_.get(), outcome);
  }

 private:
  void CompareHoles(const ContentFile& file) {
    uint64_t at = 0;
    for (const Extent& extent : file.extents) {
      CompareHole(at, extent.file_offset);
      at = extent.file_offset + extent.length;
    }
    CompareHole(at, file.entry.size);
  }

  // What the image holds as a hole reads as zeros in the other file; where that has a hole too there is nothing to
  // read.
  void CompareHole(uint64_t begin, uint64_t end) {
    static const std::vector<uint8_t> zeros(kPiece);
    while (begin < end && begin < first_difference_ && failure_.ok()) {
      const off_t data = lseek(fd_.get(), static_cast<off_t>(begin), SEEK_DATA);
      if (data < 0 && errno == ENXIO) return;  // no data until the end
      if (data >= 0) begin = std::max(begin, static_cast<uint64_t>(data));
      if (begin >= end) return;
      const uint64_t size = std::min<uint64_t>(kPiece, end - begin);
      Compare(begin, zeros.data(), size);
      begin += size;
    }
  }

  void Differ(uint64_t offset) {
    uint64_t known = first_difference_;
    while (offset < known && !first_difference_.compare_exchange_weak(known, offset)) continue;
  }

  void Fail(Status status) {
    std::lock_guard<std::mutex> lock(mutex_);
    if (failure_.ok()) failure_ = std::move(status);
  }

  const uint32_t name_;
  const UniqueFd fd_;
  std::atomic<uint64_t> first_difference_{kNowhere};
  std::mutex mutex_;
  Status failure_;
};

class ContentCompare::LargeFile : public LargeFileSink {
 public:
  LargeFile(ContentCompare* compare, const ContentFile& file, std::vector<std::unique_ptr<ComparedFile>> names)
      : compare_(*compare), file_(file), names_(std::move(names)) {}

  void Take(uint64_t offset, const uint8_t* data, size_t size) override {
    for (const auto& name : names_) name->Compare(offset, data, size);
  }

  void Finish(const Status& damage) override {
    if (damage.ok()) {
      for (const auto& name : names_) name->Finish(file_, &compare_.files_);
    }
    compare_.verify_.Done(file_, damage);
  }

 private:
  ContentCompare& compare_;
  const ContentFile& file_;
  std::vector<std::unique_ptr<ComparedFile>> names_;
};

void ContentCompare::Small(unsigned worker, const ContentFile& file, const Status& damage, const uint8_t* stored) {
  verify_.Done(file, damage);
  if (!damage.ok() || file.entry.size == 0) return;
  for (const auto& name : OpenNames(worker, file)) {
    for (size_t i = 0; i < file.extents.size(); i++) {
      name->Compare(file.extents[i].file_offset, stored + file.starts[i], file.extents[i].length);
    }
    name->Finish(file, &files_);
  }
}

std::unique_ptr<LargeFileSink> ContentCompare::Large(unsigned worker, const ContentFile& file) {
  return std::make_unique<LargeFile>(this, file, OpenNames(worker, file));
}

std::vector<std::unique_ptr<ContentCompare::ComparedFile>> ContentCompare::OpenNames(unsigned worker,
                                                                                     const ContentFile& file) {
  std::vector<std::unique_ptr<ComparedFile>> names;
  for (uint32_t name : files_.Names(file.entry.number)) {
    UniqueFd fd;
    Status status = files_.Open(worker, name, file, &fd);
    if (status.ok()) {
      names.push_back(std::make_unique<ComparedFile>(name, std::move(fd)));
    } else {
      files_.Compared(name, -1, status);
    }
  }
  return names;
}

}  // namespace shoal
