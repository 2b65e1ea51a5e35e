// io_uring(7) as far as FUSE over io_uring needs it: commands of 128 bytes that are queued, waited for and answered.
// Defined here because the headers of an old distribution lack all of it; names and values are those of
// include/uapi/linux/io_uring.h.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/file.h"
#include "core/status.h"

namespace shoal::fuse {

// A submission of 128 bytes (IORING_SETUP_SQE128) with a command of the file's own.
struct UringCommand {
  uint8_t opcode;  // IORING_OP_URING_CMD
  uint8_t flags;
  uint16_t io_priority;
  int32_t fd;
  uint32_t command;
  uint32_t padding;
  uint64_t address;
  uint32_t length;
  uint32_t command_flags;
  uint64_t user_data;
  uint8_t unused[8];
  uint8_t own[80];  // what the file's driver reads
};
static_assert(sizeof(UringCommand) == 128, "SQE128");

struct UringCompletion {
  uint64_t user_data;
  int32_t result;  // 0 or a negative errno
  uint32_t flags;
};

// One ring, used by the thread that opened it.
class Uring {
 public:
  Uring() = default;
  ~Uring();
  Uring(const Uring&) = delete;
  Uring& operator=(const Uring&) = delete;

  // `entries` commands may be under way. kUnsupported where the kernel, an administrator or a sandbox has no io_uring
  // for us.
  Status Open(unsigned entries);

  // A zeroed command to be filled, given to the kernel by the next Enter. There is always room for `entries`.
  UringCommand* Prepare(int fd, uint32_t command, uint64_t user_data);

  // Submits what was prepared and waits until so many commands are completed, 0 or 1. 0, or an errno.
  int Enter(unsigned completions);

  // Takes a completed command; false if there is none.
  bool Take(UringCompletion* out);

 private:
  UniqueFd fd_;
  void* rings_ = nullptr;
  size_t rings_length_ = 0;
  UringCommand* commands_ = nullptr;
  size_t commands_length_ = 0;
  uint32_t* submission_tail_ = nullptr;
  uint32_t* submission_array_ = nullptr;
  uint32_t submission_mask_ = 0;
  uint32_t* completion_head_ = nullptr;
  uint32_t* completion_tail_ = nullptr;
  const UringCompletion* completions_ = nullptr;
  uint32_t completion_mask_ = 0;
  uint32_t prepared_ = 0;
};

}  // namespace shoal::fuse
