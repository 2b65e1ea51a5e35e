// Compares what stat, readlink and the extended attributes tell of the entries of an image and of a directory.
#pragma once

#include <sys/stat.h>

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/directory_opener.h"
#include "core/index_view.h"
#include "core/progress.h"
#include "core/xattr_reader.h"
#include "unpack/index_directories.h"
#include "unpack/problem_list.h"

namespace shoal {

class MetadataCompare {
 public:
  // `root` is the directory, open (O_PATH will do).
  MetadataCompare(const IndexView& index, int root, Progress* progress, ProblemList* differences, ProblemList* ignored);

  // Goes over all entries of the image, and over all names of the directory.
  Status Run(unsigned jobs);

  // After Run: the names in the directory, by their entries, whose content is to be compared with that of the file
  // `entry`: its own, and those of aliases that are files of their own there.
  std::vector<uint32_t> ContentNames(uint32_t entry) const;

 private:
  // A name in the directory that may share its inode with others.
  struct Inode {
    dev_t device;
    ino_t number;
    uint32_t entry;  // of the image
  };
  enum class Pass { kEntries, kAliases };
  class Worker;

  void CheckSharedInodes();
  const Inode* InodeOf(uint32_t entry) const;

  const IndexView& index_;
  const IndexDirectories directories_;
  Progress& progress_;
  ProblemList& differences_;
  ProblemList& ignored_;

  Pass pass_ = Pass::kEntries;
  std::atomic<uint64_t> next_range_{0};
  std::atomic<bool> has_aliases_{false};
  std::vector<uint8_t> comparable_;  // by entry: a file in image and directory, of the same size

  std::mutex mutex_;           // for what threads add to the next two
  std::vector<Inode> inodes_;  // after the first pass sorted by entry
  std::vector<std::pair<uint32_t, uint32_t>>
      separate_names_;  // file, alias of it that is another file in the directory
};

}  // namespace shoal
