// What a walk is to look at, and how.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace shoal {

struct WalkOptions {
  std::vector<std::string> sources;
  unsigned jobs = 1;                 // threads; 0: as many as storage keeps busy
  std::vector<std::string> exclude;  // patterns (pack/glob.h); a directory that one matches is not entered
  std::optional<std::string> files;  // the only paths to be packed, with what is below them (pack/file_list.h)
  char files_separator = '\n';
  bool one_file_system = false;  // a directory of another filesystem than its source's is packed without its contents
  bool skip_unreadable = false;  // what cannot be read is left out; else the catalogue is not complete
  bool tests_access = false;     // files that may not be opened are told now, not only when they are written
  bool measures_space = false;   // the catalogue gets PackCatalogue::spaces
};

}  // namespace shoal
