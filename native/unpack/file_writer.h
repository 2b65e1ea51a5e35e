// Writes the content of files to their places, each checked before it is complete.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "unpack/content_reader.h"
#include "unpack/extract_plan.h"
#include "unpack/extract_target.h"
#include "unpack/metadata_writer.h"
#include "unpack/problem_list.h"

namespace shoal {

class FileWriter : public ContentSink {
 public:
  FileWriter(const ExtractPlan& plan, const MetadataWriter& metadata, ExtractTarget* target, ContentReader* reader,
             ProblemList* problems, Progress* progress)
      : plan_(plan),
        metadata_(metadata),
        target_(*target),
        reader_(*reader),
        problems_(*problems),
        progress_(*progress) {}

  void Small(unsigned worker, const ContentFile& file, const Status& damage, const uint8_t* stored) override;
  std::unique_ptr<LargeFileSink> Large(unsigned worker, const ContentFile& file) override;

  uint64_t files() const { return files_; }
  uint64_t bytes() const { return bytes_; }

 private:
  class NewFile;
  class LargeFile;

  Status Create(unsigned worker, const ContentFile& file, NewFile* out);
  void Finish(const ContentFile& file, Status status, NewFile* made);

  const ExtractPlan& plan_;
  const MetadataWriter& metadata_;
  ExtractTarget& target_;
  ContentReader& reader_;
  ProblemList& problems_;
  Progress& progress_;
  std::atomic<uint64_t> files_{0};
  std::atomic<uint64_t> bytes_{0};
};

}  // namespace shoal
