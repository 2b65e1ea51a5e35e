// A file in memory of this node that all processes of one user share under its name, for as long as one of them has it
// open. The last to close it takes it away, be it by exit(3); what a killed process leaves is opened again, or taken
// away by the next one that opens any.
#pragma once

#include <cstdint>
#include <string>

#include "file.h"
#include "status.h"

namespace shoal {

class NodeFile {
 public:
  // Opens the file `name` of `length` bytes for reading and writing, or makes it: all zeros, of which only those that
  // are written take memory. Where none can be shared it is one of this process alone. What is in it was written by
  // processes of this user (or root), and may be damaged all the same.
  static Status Open(const std::string& name, uint64_t length, NodeFile* out);

  NodeFile() = default;
  NodeFile(const NodeFile&) = delete;
  NodeFile& operator=(const NodeFile&) = delete;
  ~NodeFile();

  int fd() const { return fd_.get(); }
  bool is_shared() const { return !name_.empty(); }

 private:
  friend class OpenNodeFiles;

  // How an attempt to open the file ended.
  enum class Attempt { kOpened, kAgain, kUnusable };

  bool OpenIn(const std::string& place, uint64_t length);
  bool OpenDirectory();
  Attempt OpenNamed(uint64_t length);
  Attempt Make(uint64_t length);
  void TakeAwayOthers() const;
  void TakeAwayDirectory() const;
  void TakeAwayIfLast() const;

  std::string name_;  // empty: of this process alone
  std::string directory_name_;
  UniqueFd place_;      // where the directory lies
  UniqueFd directory_;  // of the user, which nobody else can enter
  UniqueFd fd_;         // with a shared lock (flock) on it
};

}  // namespace shoal
