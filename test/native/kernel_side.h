// The kernel's side of the FUSE protocol over a pair of sockets, for programs that play the kernel to fuse::Session. It
// takes the kernel's own header for what it sends and expects, so that native/fuse/protocol.h is held against it. What
// it expects and does not get ends the program with status 1.
#pragma once

#include <linux/fuse.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "core/file.h"

namespace kernel_side {

[[noreturn]] inline void Fail(const std::string& what) {
  std::printf("FAILED: %s\n", what.c_str());
  std::fflush(stdout);
  std::_Exit(1);  // server threads are under way
}

inline void Expect(bool holds, const std::string& what) {
  if (!holds) Fail(what);
}

inline void ExpectEqual(uint64_t expected, uint64_t found, const std::string& what) {
  Expect(expected == found, what + ": expected " + std::to_string(expected) + ", found " + std::to_string(found));
}

struct Reply {
  int error = 0;  // a positive errno
  std::vector<uint8_t> body;

  // The body as a struct that it is exactly as long as.
  template <typename T>
  T As(const char* what) const {
    ExpectEqual(0, static_cast<uint64_t>(error), std::string("error of ") + what);
    ExpectEqual(sizeof(T), body.size(), std::string("length of the reply to ") + what);
    T value;
    std::memcpy(&value, body.data(), sizeof value);
    return value;
  }
};

template <typename T>
std::string Bytes(const T& value) {
  return std::string(reinterpret_cast<const char*>(&value), sizeof value);
}

// A request's name, with its zero.
inline std::string Name(const char* name) { return std::string(name, std::strlen(name) + 1); }

class KernelSide {
 public:
  // `device` is the server's end.
  explicit KernelSide(shoal::UniqueFd* device) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) Fail("socketpair");
    mine_.reset(ends[0]);
    device->reset(ends[1]);
    const int room = 4 << 20;
    // Without the right to more than the system's limit, long replies do not pass.
    long_replies_ = setsockopt(ends[1], SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof room) == 0;
  }

  bool long_replies() const { return long_replies_; }

  uint64_t Send(uint32_t opcode, uint64_t node, const std::string& body) {
    fuse_in_header header{};
    header.len = static_cast<uint32_t>(sizeof header + body.size());
    header.opcode = opcode;
    header.unique = unique_ += 2;  // as the kernel counts
    header.nodeid = node;
    SendBytes(Bytes(header) + body);
    return header.unique;
  }

  void SendBytes(const std::string& packet) {
    if (send(mine_.get(), packet.data(), packet.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(packet.size())) {
      Fail(std::string("send: ") + std::strerror(errno));
    }
  }

  Reply Ask(uint32_t opcode, uint64_t node, const std::string& body) {
    const uint64_t unique = Send(opcode, node, body);
    return Receive(unique);
  }

  // The next reply, which is that to the request `unique` and well formed.
  Reply Receive(uint64_t unique) {
    const ssize_t length = recv(mine_.get(), packet_.data(), packet_.size(), 0);
    if (length < static_cast<ssize_t>(sizeof(fuse_out_header))) Fail("a reply shorter than its header");
    fuse_out_header header;
    std::memcpy(&header, packet_.data(), sizeof header);
    ExpectEqual(static_cast<uint64_t>(length), header.len, "length in a reply's header");
    ExpectEqual(unique, header.unique, "request that a reply is to");
    // The kernel takes no other (fuse_dev_do_write).
    Expect(header.error <= 0 && header.error > -512, "error of a reply: " + std::to_string(header.error));
    Expect(header.error == 0 || length == sizeof header, "expected an error without a body");
    Reply reply;
    reply.error = -header.error;
    reply.body.assign(packet_.begin() + sizeof header, packet_.begin() + length);
    return reply;
  }

  void Close() { mine_.reset(-1); }

 private:
  shoal::UniqueFd mine_;
  bool long_replies_ = false;
  uint64_t unique_ = 0;
  std::vector<uint8_t> packet_ = std::vector<uint8_t>(2 << 20);
};

// What a kernel of some minor version sends as INIT: before 36 four words, since then sixteen.
inline std::string InitBody(uint32_t major, uint32_t minor, uint32_t max_readahead, uint64_t flags) {
  uint32_t words[16] = {major, minor, max_readahead, static_cast<uint32_t>(flags), static_cast<uint32_t>(flags >> 32)};
  return std::string(reinterpret_cast<const char*>(words), minor < 36 ? 16 : sizeof words);
}

// The reply to INIT as all kernels from 7.23 on take it; the header of an older kernel lacks the later fields.
struct InitReply {
  uint32_t major, minor, max_readahead, flags;
  uint16_t max_background, congestion_threshold;
  uint32_t max_write, time_gran;
  uint16_t max_pages, map_alignment;
  uint32_t flags2, unused[7];
};
static_assert(sizeof(InitReply) == sizeof(fuse_init_out), "INIT");

}  // namespace kernel_side
