// Reads the extended attributes of directory entries of any kind and mode, at any depth, without following symbolic
// links.
#pragma once

#include <sys/types.h>

#include <string>
#include <unordered_set>
#include <vector>

#include "core/status.h"

namespace shoal {

// Belongs to one thread, which must have been started for this work: it may get a working directory apart from the
// process's.
class XattrReader {
 public:
  XattrReader();

  // The directory of the names to come; `fd` (O_PATH will do) stays open until the last of them.
  void Enter(int fd);

  // Appends the attributes of `name` to *set, encoded as FORMAT §4.6; nothing where there are none. `device` is the
  // entry's st_dev: a filesystem that knows no attributes is asked once.
  Status Read(const char* name, dev_t device, std::string* set);

 private:
  bool has_own_directory_ = false;
  std::string prefix_;
  std::string path_;
  std::vector<char> names_;
  std::vector<char> value_;
  std::unordered_set<dev_t> without_;
};

}  // namespace shoal
