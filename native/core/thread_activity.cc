#include "core/thread_activity.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <string>

#include "core/file.h"

namespace shoal {
namespace {

// What a file of the thread in proc(5) begins with; false where there is none.
bool ReadAbout(int thread, const char* name, char* text, size_t size) {
  const std::string path = "/proc/self/task/" + std::to_string(thread) + "/" + name;
  const UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  const ssize_t length = fd.valid() ? read(fd.get(), text, size - 1) : -1;
  if (length <= 0) return false;
  text[length] = '\0';
  return true;
}

// The state stands behind the thread's name, in parentheses that may be part of the name, too.
bool IsRunnable(int thread) {
  char text[128];
  if (!ReadAbout(thread, "stat", text, sizeof text)) return true;
  const char* const end = std::strrchr(text, ')');
  return end == nullptr || std::strncmp(end, ") R", 3) == 0;
}

}  // namespace

uint64_t ThreadActivity::Take(int thread, uint64_t elapsed) {
  char text[80];
  uint64_t ran, delayed;
  if (!ReadAbout(thread, "schedstat", text, sizeof text)) return elapsed;
  if (std::sscanf(text, "%" SCNu64 " %" SCNu64, &ran, &delayed) != 2) return elapsed;
  const uint64_t active = ran + delayed - accounted_;
  accounted_ += active;
  // A delay is accounted for when it is over, which on a busy machine may take longer than is looked at here.
  return IsRunnable(thread) ? elapsed : std::min(elapsed, active);
}

}  // namespace shoal
