// Gives what was extracted its owner, extended attributes, mode and modification time.
#pragma once

#include <sys/stat.h>

#include <string>
#include <vector>

#include "core/index_view.h"
#include "unpack/problem_list.h"

namespace shoal {

// Thread-safe. What cannot be set is listed for `place`, the entry whose path it is; the rest is set all the same.
//
// The owner is set by root only. Another user's files belong to that user, and get no set-user-ID or set-group-ID bit
// that was meant for another owner. The umask plays no part.
class MetadataWriter {
 public:
  MetadataWriter(const IndexView& index, ProblemList* problems);

  // An open regular file or directory.
  void ApplyToOpen(uint32_t place, const Entry& entry, int fd) const;
  // Anything else: a symbolic link, a device, a FIFO.
  void ApplyToNode(uint32_t place, const Entry& entry, int directory, const std::string& name) const;

 private:
  bool OwnerDiffers(const Entry& entry, const struct stat& made) const;
  uint32_t Mode(uint32_t place, const Entry& entry, const struct stat& made) const;
  template <typename Set>
  void SetXattrs(uint32_t place, const Entry& entry, const Set& set) const;
  void Fail(uint32_t place, const std::string& what, int error) const;

  const IndexView& index_;
  ProblemList& problems_;
  const bool is_root_;
};

}  // namespace shoal
