// Requests of the kernel answered from a tree. No state but the tree: a node is an entry, for as long as the mount
// lasts.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "core/tree.h"
#include "fuse/protocol.h"
#include "fuse/tuning.h"

namespace shoal::fuse {

// How entries are shown where that differs from the image.
struct Presentation {
  std::optional<uint32_t> uid;
  std::optional<uint32_t> gid;
  uint32_t file_mask = 0;       // permission bits taken away from all but directories
  uint32_t directory_mask = 0;  // and from directories

  uint32_t MaskOf(const Entry& entry) const { return (entry.IsDirectory() ? directory_mask : file_mask) & 07777; }
};

// What one thread answers with; nothing of it is shared.
struct Workspace {
  size_t splice = 0;        // bytes that a reply may take from a file
  uint8_t* room = nullptr;  // for the longest reply that the kernel may ask for
  size_t capacity = 0;
  std::vector<Extent> extents;
  std::vector<Xattr> xattrs;
};

struct Answer {
  bool expected = true;        // false: the kernel waits for no reply
  int error = 0;               // errno; then there is no data
  bool failed = false;         // the error tells of a fault, it is no answer such as ENOENT
  const void* data = nullptr;  // in the workspace
  size_t size = 0;
  int file = -1;  // else the data lie there, at `offset`, and need not pass through this process
  uint64_t offset = 0;
};

class Operations {
 public:
  using Log = std::function<void(const std::string& line)>;

  // `tree` outlives this. `log` is called seldom, from any thread.
  Operations(Tree& tree, const Presentation& presentation, const Lifetimes& lifetimes, Log log);

  // Whether permissions depend on POSIX ACLs.
  bool has_acls() const { return has_acls_; }

  // Whether there is content that is not checked, so that replies may be taken from files.
  bool may_splice() const { return may_splice_; }

  // What the handshake agreed on; before the first Handle().
  void SetZeroMessageOpens(bool files, bool directories);

  // Thread-safe. Allocates, locks and logs nothing unless something is wrong, or for files with holes and extended
  // attributes.
  Answer Handle(const InHeader& header, std::string_view body, Workspace& workspace);

 private:
  Answer HandleOnce(const InHeader& header, std::string_view body, Workspace& workspace);
  Answer Lookup(const Place& at, std::string_view name, Workspace& workspace);
  Answer Getattr(const Place& at, Workspace& workspace);
  Answer Readlink(const Place& at, Workspace& workspace);
  Answer Read(const Place& at, const ReadIn& in, Workspace& workspace);
  Answer Readdir(const Place& at, const ReadIn& in, bool plus, Workspace& workspace);
  Answer Statfs(Workspace& workspace);
  Answer Getxattr(const Place& at, uint32_t size, std::string_view name, Workspace& workspace);
  Answer Listxattr(const Place& at, uint32_t size, Workspace& workspace);
  Answer Lseek(const Place& at, const LseekIn& in, Workspace& workspace);

  // One record at `to`, or 0 if it takes more than `room`. `name` as the directory has it, `entry` of `layer` resolved.
  Status PutRecord(uint32_t layer, const Entry& entry, std::string_view name, uint64_t next, bool plus, uint8_t* to,
                   size_t room, Workspace& workspace, size_t* length) const;
  Status FillAttr(uint32_t layer, const Entry& entry, Attr* attr, Workspace& workspace) const;
  Status FillEntry(uint32_t layer, const Entry& entry, EntryOut* out, Workspace& workspace) const;

  // The error for the kernel, told to the log once per entry. `named`: the status' message says which entry.
  Answer Fail(const Status& status, const Place& at, bool named = false);

  Tree& tree_;
  const Presentation presentation_;
  const Lifetimes lifetimes_;
  const Log log_;
  bool may_splice_ = false;
  bool has_acls_ = false;
  bool has_xattrs_ = false;
  int open_error_ = 0;     // 0: OPEN is answered properly
  int opendir_error_ = 0;  // the same for OPENDIR

  std::mutex told_mutex_;              // only on failure
  std::unordered_set<uint64_t> told_;  // nodes
};

}  // namespace shoal::fuse
