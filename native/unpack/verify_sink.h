// Takes the content of files only to know that it is undamaged.
#pragma once

#include <atomic>

#include "unpack/content_reader.h"
#include "unpack/problem_list.h"

namespace shoal {

class VerifySink : public ContentSink {
 public:
  // Advances progress->entries_done where `progress` is not null.
  VerifySink(const Image& image, ProblemList* problems, Progress* progress)
      : image_(image), problems_(*problems), progress_(progress) {}

  void Small(unsigned, const ContentFile& file, const Status& damage, const uint8_t*) override { Done(file, damage); }

  std::unique_ptr<LargeFileSink> Large(unsigned, const ContentFile& file) override {
    return std::make_unique<LargeFile>(this, file);
  }

  // Notes the outcome of one file.
  void Done(const ContentFile& file, const Status& damage) {
    if (progress_ != nullptr) progress_->entries_done.fetch_add(1, std::memory_order_relaxed);
    if (!damage.ok()) {
      problems_.Add(file.entry.number, damage);
    } else if (file.stored > 0 &&
               (image_.volume_info(file.extents[0].volume).flags & format::kVolumeHasChecksums) == 0) {
      unchecked_bytes_.fetch_add(file.entry.size, std::memory_order_relaxed);
    }
  }

  uint64_t unchecked_bytes() const { return unchecked_bytes_; }

 private:
  class LargeFile : public LargeFileSink {
   public:
    LargeFile(VerifySink* sink, const ContentFile& file) : sink_(*sink), file_(file) {}
    void Take(uint64_t, const uint8_t*, size_t) override {}
    void Finish(const Status& damage) override { sink_.Done(file_, damage); }

   private:
    VerifySink& sink_;
    const ContentFile& file_;
  };

  const Image& image_;
  ProblemList& problems_;
  Progress* const progress_;
  std::atomic<uint64_t> unchecked_bytes_{0};
};

}  // namespace shoal
