#include "core/directory_opener.h"

#include <fcntl.h>

#include <cerrno>
#include <utility>
#include <vector>

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
  for (size_t i = below.size(); i-- > 0;) {
    int opened;
    do {
      opened = openat(at, below[i].second.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    } while (opened < 0 && errno == EINTR);
    if (opened < 0) return Status::FromErrno("cannot open directory", below[i].second, errno);
    at = Keep(below[i].first, UniqueFd(opened));
  }
  *fd = at;
  return Status();
}

int DirectoryOpener::Find(uint32_t directory) {
  auto place = places_.find(directory);
  if (place == places_.end()) return -1;
  held_.splice(held_.begin(), held_, place->second);
  return place->second->fd.get();
}

int DirectoryOpener::Keep(uint32_t directory, UniqueFd fd) {
  if (held_.size() == capacity_) {
    places_.erase(held_.back().directory);
    held_.pop_back();
  }
  held_.push_front(Held{directory, std::move(fd)});
  places_[directory] = held_.begin();
  return held_.front().fd.get();
}

}  // namespace shoal
