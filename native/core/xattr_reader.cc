#include "core/xattr_reader.h"

#include <sched.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "core/bytes.h"

namespace shoal {
namespace {

// linux/limits.h: XATTR_LIST_MAX and XATTR_SIZE_MAX.
constexpr size_t kListMax = 65536;
constexpr size_t kValueMax = 65536;

bool IsUnsupported(int error) { return error == EOPNOTSUPP || error == ENOSYS; }

template <typename T>
void Append(std::string* to, T value) {
  to->append(reinterpret_cast<const char*>(&value), sizeof value);
}

}  // namespace

XattrReader::XattrReader() : names_(kListMax), value_(kValueMax) {
  // There is no listxattrat before Linux 6.13. A working directory of this thread's own makes plain names do; where a
  // sandbox forbids that, a path through /proc does, at twice the cost.
  has_own_directory_ = unshare(CLONE_FS) == 0;
}

void XattrReader::Enter(int fd) {
  const bool entered = has_own_directory_ && fchdir(fd) == 0;
  prefix_ = entered ? "" : "/proc/self/fd/" + std::to_string(fd) + "/";
}

Status XattrReader::Read(const char* name, dev_t device, std::string* set) {
  if (without_.count(device) != 0) return Status();
  const char* path = name;
  if (!prefix_.empty() && name[0] != '/') path = path_.assign(prefix_).append(name).c_str();
  ssize_t length = llistxattr(path, names_.data(), names_.size());
  if (length <= 0) {
    if (length == 0) return Status();
    if (!IsUnsupported(errno)) return Status::FromErrno("cannot list extended attributes", name, errno);
    without_.insert(device);
    return Status();
  }
  std::vector<std::string_view> attributes;
  for (ssize_t at = 0; at < length;) {
    attributes.emplace_back(names_.data() + at);
    at += static_cast<ssize_t>(attributes.back().size()) + 1;
  }
  std::sort(attributes.begin(), attributes.end());
  uint32_t count = 0;
  const size_t start = set->size();
  Append(set, count);
  for (std::string_view attribute : attributes) {
    ssize_t size = lgetxattr(path, attribute.data(), value_.data(), value_.size());
    if (size < 0) {
      if (errno == ENODATA || IsUnsupported(errno))
        continue;  // gone since, or listed by a filesystem that does not give it
      return Status::FromErrno("cannot read an extended attribute", name, errno);
    }
    Append(set, static_cast<uint16_t>(attribute.size()));
    Append(set, static_cast<uint32_t>(size));
    set->append(attribute);
    set->append(value_.data(), static_cast<size_t>(size));
    count++;
  }
  Store(&(*set)[start], count);
  if (count == 0) set->resize(start);
  return Status();
}

}  // namespace shoal
