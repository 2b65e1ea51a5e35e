// Which entries of an image are those of the sources, by path and by everything but content.
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "core/index_view.h"
#include "core/progress.h"
#include "pack/pack_catalogue.h"

namespace shoal {

// The name that a file bears for the moment between the last look at it and its removal, before its own.
constexpr std::string_view kSetAside = ".shoal-removed.";

// An entry of the sources that is to stay, and why.
struct Kept {
  uint32_t entry;
  Code code;
  std::string message;
};

class SourceMatch {
 public:
  // `is_slice`: the image holds some of the entries, and the others are none of its business.
  SourceMatch(const PackCatalogue& catalogue, const IndexView& index, bool is_slice)
      : catalogue_(catalogue), index_(index), is_slice_(is_slice) {}

  // Finds each of the catalogue's entries in the image, whose entry `root` stands for the catalogue's root. One that
  // the image lacks, or holds with other metadata, goes to *kept. Not compared: link counts, which fall as names are
  // removed, and mtimes of directories, which this changes. A damaged index, or kCancelled, is the status.
  Status Run(uint32_t root, const Progress& progress, std::vector<Kept>* kept);

  // After Run: whether the image holds the entry, leaving the content of files aside.
  bool IsMatched(uint32_t entry) const { return matched_[entry] != 0; }

  // Files of the catalogue whose content is to be that of the image's file `entry`; no aliases, no empty ones.
  std::vector<uint32_t> FilesOf(uint32_t entry) const;

 private:
  Status Find(uint32_t entry, uint32_t* found) const;
  Status Compare(uint32_t entry, uint32_t found, std::string* difference) const;
  Status CompareAlias(uint32_t entry, uint32_t found, std::string* difference) const;
  Status CompareKind(uint32_t entry, const Entry& found, std::string* difference) const;
  Status CompareXattrs(uint32_t entry, const Entry& found, std::string* difference) const;

  const PackCatalogue& catalogue_;
  const IndexView& index_;
  const bool is_slice_;
  std::vector<uint32_t> places_;  // entry of the catalogue → of the image, or kNone
  std::vector<uint8_t> matched_;
  std::vector<std::pair<uint32_t, uint32_t>> files_;  // file of the image, of the catalogue; sorted
};

}  // namespace shoal
