// Compares the content of the files of an image with that of the files of a directory.
#pragma once

#include <memory>
#include <vector>

#include "core/directory_opener.h"
#include "unpack/content_reader.h"
#include "unpack/index_directories.h"
#include "unpack/metadata_compare.h"
#include "unpack/problem_list.h"
#include "unpack/verify_sink.h"

namespace shoal {

class ContentCompare : public ContentSink {
 public:
  // `metadata` has run; it says which files are compared. `verify` hears of all.
  ContentCompare(const IndexView& index, const MetadataCompare& metadata, int root, unsigned jobs,
                 ProblemList* differences, VerifySink* verify);

  void Small(unsigned worker, const ContentFile& file, const Status& damage, const uint8_t* stored) override;
  std::unique_ptr<LargeFileSink> Large(unsigned worker, const ContentFile& file) override;

 private:
  class DirectoryFile;
  class LargeFile;

  // The files of the directory to compare with; those that cannot be opened are listed.
  std::vector<std::unique_ptr<DirectoryFile>> OpenNames(unsigned worker, const ContentFile& file);
  Status OpenName(unsigned worker, uint32_t name, const ContentFile& file, UniqueFd* out);

  const IndexView& index_;
  const MetadataCompare& metadata_;
  const IndexDirectories directories_;
  std::vector<DirectoryOpener> openers_;  // by worker
  ProblemList& differences_;
  VerifySink& verify_;
};

}  // namespace shoal
