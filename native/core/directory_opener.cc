#include "core/directory_opener.h"

#include <fcntl.h>

#include <cerrno>
#include <utility>

namespace shoal {

DirectoryOpener::DirectoryOpener(const DirectoryTree* tree, size_t capacity)
    : tree_(tree), capacity_(capacity < 1 ? 1 : capacity) {}

Status DirectoryOpener::Open(uint32_t directory, int* fd) {
  // Climb to the nearest ancestor at hand, then come down again.
  std::vector<std::pair<uint32_t, std::string>> below;
  uint32_t current = directory;
  int at = Find(current);
  while (at < 0) {
    uint32_t parent = DirectoryTree::kTop;
    std::string name;
    SHOAL_RETURN_IF_ERROR(tree_->ParentOf(current, &parent, &name));
    if (parent == DirectoryTree::kTop) {
      UniqueFd top;
      SHOAL_RETURN_IF_ERROR(tree_->OpenTop(current, &top));
      at = Keep(current, std::move(top));
    } else {
      below.emplace_back(current, std::move(name));
      current = parent;
      at = Find(current);
    }
  }
  size_t ratio = 0;
  size_t waypoint = 0;  // the next one is made when so many steps are left
  if (below.size() > capacity_) {
    DropOtherWaypoints(at);
    ratio = WaypointRatio(below.size());
    waypoint = ratio == 0 ? 0 : below.size() / ratio;
  }
  for (size_t i = below.size(); i-- > 0;) {
    int opened;
    do {
      opened = openat(at, below[i].second.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    } while (opened < 0 && errno == EINTR);
    if (opened < 0) return Status::FromErrno("cannot open directory", below[i].second, errno);
    if (i > 0 && i <= waypoint) {
      at = KeepAsWaypoint(below[i].first, UniqueFd(opened));
      waypoint = i / ratio > capacity_ / 2 ? i / ratio : 0;
    } else {
      at = Keep(below[i].first, UniqueFd(opened));
    }
  }
  *fd = at;
  return Status();
}

int DirectoryOpener::Find(uint32_t directory) {
  auto place = places_.find(directory);
  if (place != places_.end()) {
    held_.splice(held_.begin(), held_, place->second);
    return place->second->fd.get();
  }
  // Those below it lead elsewhere.
  for (size_t i = waypoints_.size(); i-- > 0;) {
    if (waypoints_[i].directory != directory) continue;
    waypoints_.erase(waypoints_.begin() + static_cast<ptrdiff_t>(i) + 1, waypoints_.end());
    return waypoints_[i].fd.get();
  }
  return -1;
}

int DirectoryOpener::Keep(uint32_t directory, UniqueFd fd) {
  MakeRoom();
  held_.push_front(Held{directory, std::move(fd)});
  places_[directory] = held_.begin();
  return held_.front().fd.get();
}

int DirectoryOpener::KeepAsWaypoint(uint32_t directory, UniqueFd fd) {
  MakeRoom();
  waypoints_.push_back(Held{directory, std::move(fd)});
  return waypoints_.back().fd.get();
}

void DirectoryOpener::MakeRoom() {
  while (!held_.empty() && held_.size() + waypoints_.size() >= capacity_) {
    places_.erase(held_.back().directory);
    held_.pop_back();
  }
}

// Before a long way down from `at`: without a waypoint there, those that are left are of another one; and those of this
// one are never so many that none could be added.
void DirectoryOpener::DropOtherWaypoints(int at) {
  if (waypoints_.empty() || waypoints_.back().fd.get() != at) return waypoints_.clear();
  if (waypoints_.size() >= capacity_ / 2) waypoints_.erase(waypoints_.begin(), waypoints_.end() - 1);
}

// By which the steps that are left shrink from waypoint to waypoint, so that those that may be held reach to the end of
// a way of `steps`; 0 where none may be held.
size_t DirectoryOpener::WaypointRatio(size_t steps) const {
  const size_t most = capacity_ / 2;
  if (waypoints_.size() >= most) return 0;
  for (size_t ratio = 2;; ratio++) {
    size_t reach = capacity_;
    for (size_t i = waypoints_.size(); i < most && reach < steps; i++) reach *= ratio;
    if (reach >= steps) return ratio;
  }
}

}  // namespace shoal
