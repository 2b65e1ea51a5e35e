// Compares the sources of a pack, as they are now, with the image that was made of them: what may be removed.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "core/image.h"
#include "core/progress.h"
#include "pack/file_reader.h"
#include "pack/pack_catalogue.h"
#include "remove/source_match.h"
#include "unpack/compared_files.h"
#include "unpack/verify.h"

namespace shoal {

class SourceComparison : public ComparedFiles {
 public:
  // `catalogue` is of a walk of the sources that may be later than the one the image was made from. `is_slice`: the
  // image holds a slice of the sources.
  SourceComparison(std::shared_ptr<const PackCatalogue> catalogue, bool is_slice)
      : catalogue_(std::move(catalogue)), is_slice_(is_slice) {}

  // With `jobs` threads (0: as many as storage keeps busy) verifies the image, all of it, and compares each file of the
  // sources with it byte by byte. `below`: the image's entry of this name stands for the root of the catalogue; empty:
  // its root. Damage of the index, and kCancelled, are the status; damaged entries are in *verified.
  Status Run(const Image& image, const std::string& below, unsigned jobs, Progress* progress, VerifyOutcome* verified);

  const PackCatalogue& catalogue() const { return *catalogue_; }

  // After Run: whether the image holds all of the entry as it was when it was compared.
  bool IsSame(uint32_t entry) const;

  // After Run: what is to stay, and why.
  std::vector<Kept> TakeKept() { return std::move(kept_); }

  std::vector<uint32_t> Names(uint32_t entry) const override { return match_->FilesOf(entry); }
  Status Open(unsigned worker, uint32_t name, const ContentFile& file, UniqueFd* fd) override;
  void Compared(uint32_t name, int fd, const Status& outcome) override;

 private:
  const std::shared_ptr<const PackCatalogue> catalogue_;
  const bool is_slice_;
  std::unique_ptr<SourceMatch> match_;
  std::vector<std::unique_ptr<FileReader>> readers_;  // by worker
  std::vector<uint8_t> same_;                         // by entry: a file whose content was compared

  std::mutex mutex_;
  std::vector<Kept> kept_;
};

}  // namespace shoal
