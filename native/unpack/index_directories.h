// Tells a DirectoryOpener where the directories of an index stand in a directory tree.
#pragma once

#include <fcntl.h>

#include <cerrno>
#include <string>

#include "core/directory_opener.h"
#include "core/index_view.h"

namespace shoal {

class IndexDirectories : public DirectoryTree {
 public:
  // `root` is the open directory that stands for the root entry; it stays the caller's.
  IndexDirectories(const IndexView& index, int root) : index_(index), root_(root) {}

  int root() const { return root_; }

  // Of any entry. Names are checked by the index, and a parent's number is lower than its child's: each climb ends.
  Status ParentOf(uint32_t entry, uint32_t* parent, std::string* name) const override {
    *parent = kTop;
    if (entry == 0) return Status();
    std::string_view found;
    SHOAL_RETURN_IF_ERROR(index_.Name(entry, &found));
    name->assign(found);
    return index_.Parent(entry, parent);
  }

  Status OpenTop(uint32_t, UniqueFd* fd) const override {
    fd->reset(fcntl(root_, F_DUPFD_CLOEXEC, 0));
    return fd->valid() ? Status() : Status::FromErrno("cannot duplicate a descriptor", "", errno);
  }

 private:
  const IndexView& index_;
  const int root_;
};

}  // namespace shoal
