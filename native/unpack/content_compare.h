// Compares the content of the files of an image with that of other files.
#pragma once

#include <memory>
#include <vector>

#include "unpack/compared_files.h"
#include "unpack/content_reader.h"
#include "unpack/verify_sink.h"

namespace shoal {

class ContentCompare : public ContentSink {
 public:
  // `verify` hears of all.
  ContentCompare(ComparedFiles* files, VerifySink* verify) : files_(*files), verify_(*verify) {}

  void Small(unsigned worker, const ContentFile& file, const Status& damage, const uint8_t* stored) override;
  std::unique_ptr<LargeFileSink> Large(unsigned worker, const ContentFile& file) override;

 private:
  class ComparedFile;
  class LargeFile;

  // Those that cannot be opened are told of.
  std::vector<std::unique_ptr<ComparedFile>> OpenNames(unsigned worker, const ContentFile& file);

  ComparedFiles& files_;
  VerifySink& verify_;
};

}  // namespace shoal
