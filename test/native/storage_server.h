// What model filesystems have in common that test programs serve: the loop that answers the kernel, attributes from
// those of a file, and a program that mounts, obeys and unmounts.
#pragma once

#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include "core/file.h"
#include "fuse/mount.h"
#include "fuse/protocol.h"

namespace shoal::fuse {

template <typename T>
T* Fresh(std::vector<uint8_t>* out) {
  out->assign(sizeof(T), 0);
  return reinterpret_cast<T*>(out->data());
}

// All but the inode's number.
inline void FillAttr(const struct stat& info, Attr* attr) {
  attr->size = static_cast<uint64_t>(info.st_size);
  attr->blocks = static_cast<uint64_t>(info.st_blocks);
  attr->atime = static_cast<uint64_t>(info.st_atim.tv_sec);
  attr->atimensec = static_cast<uint32_t>(info.st_atim.tv_nsec);
  attr->mtime = static_cast<uint64_t>(info.st_mtim.tv_sec);
  attr->mtimensec = static_cast<uint32_t>(info.st_mtim.tv_nsec);
  attr->ctime = static_cast<uint64_t>(info.st_ctim.tv_sec);
  attr->ctimensec = static_cast<uint32_t>(info.st_ctim.tv_nsec);
  attr->mode = info.st_mode;
  attr->nlink = static_cast<uint32_t>(info.st_nlink);
  attr->uid = info.st_uid;
  attr->gid = info.st_gid;
  attr->blksize = 4096;
}

// Answers requests until the device is unmounted. `max_write` is what INIT is answered with. answer(header, body, out)
// gives an errno, or 0 and what to reply; it is not asked about requests that want no reply.
template <typename Answer>
void ServeRequests(int device, size_t max_write, const Answer& answer) {
  std::vector<uint8_t> request(std::max<size_t>(kMinReadBuffer, max_write + 4096));
  std::vector<uint8_t> reply;
  for (;;) {
    const ssize_t length = read(device, request.data(), request.size());
    if (length < 0 && (errno == EINTR || errno == ENOENT || errno == EAGAIN)) continue;
    if (length < static_cast<ssize_t>(sizeof(InHeader))) return;  // unmounted
    InHeader header;
    std::memcpy(&header, request.data(), sizeof header);
    const auto opcode = static_cast<Opcode>(header.opcode);
    if (opcode == Opcode::kForget || opcode == Opcode::kBatchForget || opcode == Opcode::kInterrupt) continue;
    reply.clear();
    const int error = answer(header, request.data() + sizeof header, &reply);
    if (error != 0) reply.clear();
    OutHeader out{static_cast<uint32_t>(sizeof(OutHeader) + reply.size()), -error, header.unique};
    iovec parts[2] = {{&out, sizeof out}, {reply.data(), reply.size()}};
    const ssize_t ignored = writev(device, parts, 2);  // fails where nobody waits any more
    (void)ignored;
  }
}

// Says `ready`, and answers each line on standard input, until its end.
template <typename Storage>
void ObeyLines(Storage* storage) {
  std::cout << "ready" << std::endl;
  std::string line;
  while (std::getline(std::cin, line)) std::cout << storage->Obey(line) << std::endl;
}

// Mounts `source` on `directory`, serves it with `threads` threads while work() runs, and ends the program with what
// that gives.
template <typename Storage, typename Work>
[[noreturn]] void ServeWhile(Storage* storage, const char* source, const char* directory, unsigned threads,
                             const Work& work) {
  UniqueFd device;
  const Status mounted = Mount(source, directory, MountFlags(), &device);
  if (!mounted.ok()) {
    std::cerr << mounted.path() << ": " << mounted.message() << std::endl;
    std::exit(1);
  }
  for (unsigned i = 0; i < threads; i++) std::thread([&] { storage->Serve(device.get()); }).detach();
  const int status = work();
  const Status unmounted = Unmount(directory, true);
  // Others may still have files open, and threads wait for them.
  std::_Exit(unmounted.ok() ? status : 1);
}

}  // namespace shoal::fuse
