#include "pack/pack_catalogue.h"

#include <fcntl.h>
#include <time.h>

#include <algorithm>
#include <cerrno>

namespace shoal {

std::string PackCatalogue::SourcePath(uint32_t entry) const {
  std::vector<uint32_t> below;
  for (; entry != 0 && !IsTop(entry); entry = parents[entry]) below.push_back(entry);
  std::string path = IsTop(entry) ? SourceOf(entry).given : std::string();
  for (size_t i = below.size(); i-- > 0;) {
    if (!path.empty() && path.back() != '/') path.push_back('/');
    path.append(name(below[i]));
  }
  return path;
}

Status PackCatalogue::ParentOf(uint32_t directory, uint32_t* parent, std::string* name_there) const {
  if (IsTop(directory)) {
    *parent = kTop;
  } else {
    *parent = parents[directory];
    *name_there = name(directory);
  }
  return Status();
}

Status PackCatalogue::OpenTop(uint32_t directory, UniqueFd* fd) const {
  return OpenSourceDirectory(SourceOf(directory), fd);
}

uint64_t StampOf(const struct stat& status) {
  // The finaliser of SplitMix64 (Steele, Lea, Flood 2014) over each field in turn.
  uint64_t mixed = 0;
  for (uint64_t field : {static_cast<uint64_t>(status.st_ino), static_cast<uint64_t>(status.st_ctim.tv_sec),
                         static_cast<uint64_t>(status.st_ctim.tv_nsec)}) {
    mixed += field + 0x9E3779B97F4A7C15;
    mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9;
    mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB;
    mixed ^= mixed >> 31;
  }
  return mixed & ~kStampedLately;
}

bool IsStampedLately(const struct stat& status) {
  constexpr int64_t kLately = 60;  // seconds
  timespec now;
  clock_gettime(CLOCK_REALTIME_COARSE, &now);
  return status.st_ctim.tv_sec >= now.tv_sec - kLately;
}

Status OpenSourceDirectory(const Source& source, UniqueFd* fd) {
  int opened;
  do {
    opened = open(source.absolute.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
  } while (opened < 0 && errno == EINTR);
  if (opened < 0) return Status::FromErrno("cannot open directory", source.given, errno);
  fd->reset(opened);
  return Status();
}

}  // namespace shoal
