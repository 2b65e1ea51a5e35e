// Attaching a FUSE session to a directory, and detaching it.
#pragma once

#include <string>

#include "core/file.h"
#include "core/status.h"

namespace shoal::fuse {

// The type that mounts have in /proc/self/mountinfo is "fuse." and this.
constexpr const char* kSubtype = "shoal";

struct MountFlags {
  bool allow_other = false;
  bool no_exec = false;
};

// Mounts read-only, without setuid programs and devices, the kernel checking permissions: by mount(2) where that is
// allowed, which is as root and in a user namespace with a mount namespace of its own, else by fusermount3. `source` is
// what mountinfo and df show, the image's path. Errors say what to do.
Status Mount(const std::string& source, const std::string& directory, const MountFlags& flags, UniqueFd* device);

// Makes an open /dev/fuse on which others mounted fit for a session of this process alone.
Status AdoptDevice(int device);

// For those who call mount(2) themselves: an open /dev/fuse, and what to pass for a filesystem that `device` serves.
Status OpenDevice(UniqueFd* device);
std::string MountType();
unsigned long MountBits(const MountFlags& flags);
std::string MountData(int device, const MountFlags& flags);

// Unmounts; lazily: at once out of sight, and gone when its last user is. kBusy: somebody uses it.
Status Unmount(const std::string& directory, bool lazy);

}  // namespace shoal::fuse
