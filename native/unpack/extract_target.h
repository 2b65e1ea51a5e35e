// The directory that entries are extracted into. Everything is made by names relative to descriptors that were opened
// name by name without following symbolic links, so nothing is ever made outside of it, whatever an image or the
// directory holds.
#pragma once

#include <cerrno>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_set>
#include <vector>

#include "core/directory_opener.h"
#include "core/index_view.h"
#include "unpack/index_directories.h"

namespace shoal {

class ExtractTarget {
 public:
  // `root` is the directory at `path`, open; each of the workers may use its own part of this at the same time.
  ExtractTarget(const IndexView& index, int root, std::string path, unsigned workers);

  int root() const { return directories_.root(); }

  // The directory that the entry `place` is to stand in, valid until the worker's next call, and its name there. IsTold
  // where the directory could not be made: that is listed once, with the directory.
  Status OpenParent(unsigned worker, uint32_t place, int* directory, std::string* name);

  // Calls make() (0, or −1 and errno) until something new stands at the name. What is there already is removed if it is
  // a regular file or a symbolic link; anything else is kExists.
  template <typename Make>
  static Status MakeNew(int directory, const std::string& name, const char* action, const Make& make) {
    for (int tries = 0; make() != 0; tries++) {
      if (errno != EEXIST || tries == kTries) return Status::FromErrno(action, "", errno);
      SHOAL_RETURN_IF_ERROR(RemoveOld(directory, name));
    }
    return Status();
  }

  static bool IsTold(const Status& status) { return status.code() == Code::kPartial; }

  // The status of something that ends the extraction, at the path in question.
  Status AtPlace(uint32_t place, Status status) const;

  // Entries that are not at their place: what depends on them is not tried.
  void SetFailed(uint32_t place);
  bool HasFailed(uint32_t place) const;

 private:
  // Somebody else may make the name again after we removed it, but not for ever.
  static constexpr int kTries = 3;
  static Status RemoveOld(int directory, const std::string& name);

  const IndexView& index_;
  const std::string path_;
  const IndexDirectories directories_;
  std::vector<DirectoryOpener> openers_;  // by worker
  mutable std::mutex mutex_;
  std::unordered_set<uint32_t> failed_;
};

// No space or quota is left: going on would fail for every further file too.
inline bool IsFull(const Status& status) { return status.error() == ENOSPC || status.error() == EDQUOT; }

}  // namespace shoal
