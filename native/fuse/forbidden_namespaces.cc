#include "fuse/forbidden_namespaces.h"

#include <cerrno>
#include <string>

#include "core/file.h"

namespace shoal::fuse {
namespace {

constexpr const char* kInstead =
    "use shoal mount, which mounts through fusermount3, or shoal extract, which needs neither";

struct Setting {
  const char* path;
  bool forbids_zero;  // else it forbids by what is not zero
  const char* cure;
};

constexpr Setting kSettings[] = {
    {"/proc/sys/user/max_user_namespaces", true, "sysctl user.max_user_namespaces=10000"},
    // Of Debian's kernels.
    {"/proc/sys/kernel/unprivileged_userns_clone", true, "sysctl kernel.unprivileged_userns_clone=1"},
    // Of Ubuntu's, from 23.10 on.
    {"/proc/sys/kernel/apparmor_restrict_unprivileged_userns", false,
     "sysctl kernel.apparmor_restrict_unprivileged_userns=0"},
};

bool Forbids(const Setting& setting) {
  UniqueFd file;
  char text[32] = {};
  size_t length = 0;
  if (!OpenForRead(setting.path, &file).ok()) return false;
  if (!ReadUpTo(file.get(), setting.path, 0, text, sizeof text - 1, &length).ok() || length == 0) return false;
  return (std::string(text, length) == "0\n") == setting.forbids_zero;
}

}  // namespace

Status ExplainForbiddenNamespaces(int error) {
  for (const Setting& setting : kSettings) {
    if (!Forbids(setting)) continue;
    return Status(Code::kPermission, std::string("this machine lets users make no namespaces, without which there are "
                                                 "no private mounts; ask an administrator for ") +
                                         setting.cure + ", or " + kInstead)
        .At(setting.path);
  }
  if (error == EPERM || error == EACCES) {
    return Status(Code::kPermission,
                  std::string("a container or a security policy lets this user make no namespaces, without which there "
                              "are no private mounts; ") +
                      kInstead);
  }
  if (error == ENOSPC || error == EUSERS) {
    return Status(Code::kBusy, std::string("there are as many namespaces as this machine allows, or they are nested "
                                           "too deep (user_namespaces(7)); ") +
                                   kInstead);
  }
  return Status::FromErrno("cannot make a mount namespace", "", error);
}

}  // namespace shoal::fuse
