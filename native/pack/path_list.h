// A file that lists paths, one after the other.
#pragma once

#include <string>
#include <vector>

#include "core/file.h"

namespace shoal {

class PathList {
 public:
  // Paths end with `end`, a newline or a NUL; behind the last one it may lack.
  Status Open(const std::string& file, char end);

  // Empty paths are skipped. *found is false behind the last one.
  Status Next(std::string* path, bool* found);

 private:
  Status Fill();

  std::string file_;
  char end_ = '\n';
  UniqueFd fd_;
  std::vector<char> buffer_;
  size_t at_ = 0;
  size_t filled_ = 0;
  bool ended_ = false;  // nothing more is to be read
};

}  // namespace shoal
