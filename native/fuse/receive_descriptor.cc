#include "fuse/receive_descriptor.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <cerrno>
#include <cstring>

namespace shoal::fuse {

ssize_t ReceiveDescriptor(int socket, void* bytes, size_t size, UniqueFd* descriptor) {
  iovec part{bytes, size};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  ssize_t length;
  do {
    length = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
  } while (length < 0 && errno == EINTR);
  const cmsghdr* header = length > 0 ? CMSG_FIRSTHDR(&message) : nullptr;
  const bool carries = header != nullptr && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS &&
                       header->cmsg_len >= CMSG_LEN(sizeof(int));
  if (!carries) return length;
  int fd = -1;
  std::memcpy(&fd, CMSG_DATA(header), sizeof fd);
  descriptor->reset(fd);
  return length;
}

}  // namespace shoal::fuse
