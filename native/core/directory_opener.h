// Opens directories of a tree one component at a time, never through a symbolic link, at any depth (paths beyond
// PATH_MAX included).
#pragma once

#include <cstdint>
#include <list>
#include <string>
#include <unordered_map>
#include <vector>

#include "file.h"
#include "status.h"

namespace shoal {

// Who knows where the directories of a tree stand: a walk, a catalogue or an index. Called from several threads.
class DirectoryTree {
 public:
  static constexpr uint32_t kTop = 0xFFFFFFFF;

  virtual ~DirectoryTree() = default;
  // The parent of `directory` and its name there; *parent is kTop where it has none: then OpenTop opens it.
  virtual Status ParentOf(uint32_t directory, uint32_t* parent, std::string* name) const = 0;
  virtual Status OpenTop(uint32_t directory, UniqueFd* fd) const = 0;
};

// Holds descriptors of the directories used last, so that a directory whose parent was used lately costs one system
// call, and a chain of any depth is walked down in linear time with a bounded number of descriptors. On a long way down
// some are held as waypoints, each an ancestor of the next and closer to it than to the one before, so that the chain
// is also walked up, as where directories are removed, without coming down from the top again and again. One per
// thread.
class DirectoryOpener {
 public:
  static constexpr size_t kDefaultCapacity = 32;

  // At most `capacity` (≥ 1) descriptors are held.
  explicit DirectoryOpener(const DirectoryTree* tree, size_t capacity = kDefaultCapacity);

  // *fd is an O_PATH descriptor of `directory`, this object's, valid until the next call. Fails with the errno of
  // openat in error(): ENOTDIR or ELOOP where something else stands there now.
  Status Open(uint32_t directory, int* fd);

 private:
  struct Held {
    uint32_t directory;
    UniqueFd fd;
  };
  int Find(uint32_t directory);
  int Keep(uint32_t directory, UniqueFd fd);
  int KeepAsWaypoint(uint32_t directory, UniqueFd fd);
  void MakeRoom();
  void DropOtherWaypoints(int at);
  size_t WaypointRatio(size_t steps) const;

  const DirectoryTree* tree_;
  const size_t capacity_;
  std::list<Held> held_;  // used last first
  std::unordered_map<uint32_t, std::list<Held>::iterator> places_;
  std::vector<Held> waypoints_;  // topmost first; with held_, capacity_ at most
};

}  // namespace shoal
