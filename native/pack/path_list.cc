#include "pack/path_list.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "core/entry_path.h"

namespace shoal {

Status PathList::Open(const std::string& file, char end) {
  file_ = file;
  end_ = end;
  buffer_.resize(kMaxEntryPathLength + 1);
  return OpenForRead(file, &fd_);
}

Status PathList::Next(std::string* path, bool* found) {
  path->clear();
  while (true) {
    const char* begin = buffer_.data() + at_;
    const auto* end = static_cast<const char*>(std::memchr(begin, end_, filled_ - at_));
    if (end == nullptr && !ended_) {
      SHOAL_RETURN_IF_ERROR(Fill());
      continue;
    }
    const size_t length = end == nullptr ? filled_ - at_ : static_cast<size_t>(end - begin);
    path->assign(begin, length);
    *found = length > 0;
    at_ = end == nullptr ? filled_ : at_ + length + 1;
    if (*found || end == nullptr) return Status();
  }
}

Status PathList::Fill() {
  std::memmove(buffer_.data(), buffer_.data() + at_, filled_ - at_);
  filled_ -= at_;
  at_ = 0;
  if (filled_ == buffer_.size()) {
    return Status(Code::kMalformed, "expected paths of at most " + std::to_string(kMaxEntryPathLength) +
                                        " bytes, each ended by a " + (end_ == '\0' ? "NUL" : "newline") +
                                        ", found a longer one")
        .At(file_);
  }
  ssize_t got;
  do {
    got = read(fd_.get(), buffer_.data() + filled_, buffer_.size() - filled_);
  } while (got < 0 && errno == EINTR);
  if (got < 0) return Status::FromErrno("cannot read", file_, errno);
  filled_ += static_cast<size_t>(got);
  ended_ = got == 0;
  return Status();
}

}  // namespace shoal
