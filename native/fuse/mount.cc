#include "fuse/mount.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>

#include "fuse/fusermount.h"

namespace shoal::fuse {
namespace {

constexpr const char* kDevice = "/dev/fuse";  // 10:229 (Documentation/admin-guide/devices.txt of Linux)
constexpr int kUnmountNoFollow = 8;           // UMOUNT_NOFOLLOW

// 0 or an errno.
int MountDirectly(int device, const std::string& source, const std::string& directory, const MountFlags& flags) {
  const std::string data = MountData(device, flags);
  return mount(source.c_str(), directory.c_str(), MountType().c_str(), MountBits(flags), data.c_str()) == 0 ? 0 : errno;
}

}  // namespace

Status OpenDevice(UniqueFd* out) {
  out->reset(open(kDevice, O_RDWR | O_CLOEXEC));
  const int error = out->valid() ? 0 : errno;
  struct stat found;
  const bool other = out->valid() && (fstat(out->get(), &found) != 0 || found.st_rdev != makedev(10, 229));
  if (out->valid() && !other) return Status();
  out->reset();
  if (other || error == ENOENT || error == ENODEV || error == ENXIO) {
    return Status(
               Code::kUnsupported,
               "the kernel offers no FUSE here; as root run modprobe fuse, or in a container pass --device /dev/fuse")
        .At(kDevice);
  }
  if (error == EACCES || error == EPERM) {
    return Status(Code::kPermission,
                  "may not be opened by this user; as root run chmod 666 /dev/fuse, or in a container pass --device "
                  "/dev/fuse")
        .At(kDevice);
  }
  return Status::FromErrno("cannot open", kDevice, error);
}

std::string MountType() { return std::string("fuse.") + kSubtype; }

unsigned long MountBits(const MountFlags& flags) {
  return MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOATIME | (flags.no_exec ? static_cast<unsigned long>(MS_NOEXEC) : 0ul);
}

std::string MountData(int device, const MountFlags& flags) {
  std::string data = "fd=" + std::to_string(device) + ",rootmode=40000,user_id=" + std::to_string(geteuid()) +
                     ",group_id=" + std::to_string(getegid()) + ",default_permissions";
  if (flags.allow_other) data += ",allow_other";
  return data;
}

Status Mount(const std::string& source, const std::string& directory, const MountFlags& flags, UniqueFd* device) {
  SHOAL_RETURN_IF_ERROR(OpenDevice(device));
  const int error = MountDirectly(device->get(), source, directory, flags);
  if (error == 0) return Status();
  if (error != EPERM) return Status::FromErrno("cannot mount on", directory, error);

  device->reset();
  std::string options = "ro,nosuid,nodev,noatime,default_permissions";
  if (flags.allow_other) options += ",allow_other";
  if (flags.no_exec) options += ",noexec";
  options += std::string(",subtype=") + kSubtype + ",fsname=" + EscapeOption(source);
  return FusermountMount(options, directory, device);
}

Status AdoptDevice(int device) {
  const int flags = fcntl(device, F_GETFL);
  // The threads of a session sleep in read(2), and no program that this process runs shall keep the session alive.
  if (flags < 0 || fcntl(device, F_SETFL, flags & ~O_NONBLOCK) != 0 || fcntl(device, F_SETFD, FD_CLOEXEC) != 0) {
    return Status::FromErrno("cannot take over the descriptor", "/dev/fd/" + std::to_string(device), errno);
  }
  return Status();
}

Status Unmount(const std::string& directory, bool lazy) {
  if (umount2(directory.c_str(), kUnmountNoFollow | (lazy ? MNT_DETACH : 0)) == 0) return Status();
  const int error = errno;
  if (error == EPERM) return FusermountUnmount(directory, lazy);
  if (error == EINVAL) return Status(Code::kMissing, "is no mount point").At(directory);
  if (error == EBUSY) {
    return Status(Code::kBusy, "is in use; end the programs that use it (fuser -vm shows them), or unmount with --lazy")
        .At(directory);
  }
  return Status::FromErrno("cannot unmount", directory, error);
}

}  // namespace shoal::fuse
