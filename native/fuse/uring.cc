#include "fuse/uring.h"

#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace shoal::fuse {
namespace {

// The same on every architecture.
constexpr long kSetupCall = 425;
constexpr long kEnterCall = 426;

constexpr uint8_t kCommandOpcode = 46;  // IORING_OP_URING_CMD
constexpr uint32_t kCommands128 = 1u << 10;
constexpr uint32_t kSingleIssuer = 1u << 12;
constexpr uint32_t kDeferTaskrun = 1u << 13;  // completions are worked on by the waiting thread itself
constexpr uint32_t kSingleMap = 1u << 0;      // IORING_FEAT_SINGLE_MMAP
constexpr uint32_t kGetEvents = 1u << 0;
constexpr off_t kRingsOffset = 0;
constexpr off_t kCommandsOffset = 0x10000000;

struct SubmissionOffsets {
  uint32_t head, tail, ring_mask, ring_entries, flags, dropped, array, reserved;
  uint64_t user_address;
};

struct CompletionOffsets {
  uint32_t head, tail, ring_mask, ring_entries, overflow, completions, flags, reserved;
  uint64_t user_address;
};

struct Parameters {
  uint32_t submission_entries, completion_entries, flags, thread_cpu, thread_idle, features, queue_fd, reserved[3];
  SubmissionOffsets submission;
  CompletionOffsets completion;
};
static_assert(sizeof(Parameters) == 120, "struct io_uring_params");

}  // namespace

Uring::~Uring() {
  if (commands_ != nullptr) munmap(commands_, commands_length_);
  if (rings_ != nullptr) munmap(rings_, rings_length_);
}

Status Uring::Open(unsigned entries) {
  Parameters made{};
  made.flags = kCommands128 | kSingleIssuer | kDeferTaskrun;
  fd_.reset(static_cast<int>(syscall(kSetupCall, entries, &made)));
  if (!fd_.valid()) return Status(Code::kUnsupported, std::string("io_uring_setup: ") + std::strerror(errno));
  if ((made.features & kSingleMap) == 0) return Status(Code::kUnsupported, "this io_uring has two maps");

  rings_length_ = std::max<size_t>(made.submission.array + made.submission_entries * sizeof(uint32_t),
                                   made.completion.completions + made.completion_entries * sizeof(UringCompletion));
  void* rings =
      mmap(nullptr, rings_length_, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd_.get(), kRingsOffset);
  if (rings == MAP_FAILED) return Status::FromErrno("cannot map a ring", "", errno);
  rings_ = rings;
  commands_length_ = made.submission_entries * sizeof(UringCommand);
  void* commands =
      mmap(nullptr, commands_length_, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd_.get(), kCommandsOffset);
  if (commands == MAP_FAILED) return Status::FromErrno("cannot map a ring's commands", "", errno);
  commands_ = static_cast<UringCommand*>(commands);

  auto* base = static_cast<uint8_t*>(rings_);
  submission_tail_ = reinterpret_cast<uint32_t*>(base + made.submission.tail);
  submission_array_ = reinterpret_cast<uint32_t*>(base + made.submission.array);
  submission_mask_ = *reinterpret_cast<uint32_t*>(base + made.submission.ring_mask);
  completion_head_ = reinterpret_cast<uint32_t*>(base + made.completion.head);
  completion_tail_ = reinterpret_cast<uint32_t*>(base + made.completion.tail);
  completion_mask_ = *reinterpret_cast<uint32_t*>(base + made.completion.ring_mask);
  completions_ = reinterpret_cast<const UringCompletion*>(base + made.completion.completions);
  return Status();
}

UringCommand* Uring::Prepare(int fd, uint32_t command, uint64_t user_data) {
  const uint32_t tail = *submission_tail_;  // written by this thread alone
  const uint32_t slot = tail & submission_mask_;
  UringCommand* prepared = &commands_[slot];
  std::memset(prepared, 0, sizeof *prepared);
  prepared->opcode = kCommandOpcode;
  prepared->fd = fd;
  prepared->command = command;
  prepared->user_data = user_data;
  submission_array_[slot] = slot;
  __atomic_store_n(submission_tail_, tail + 1, __ATOMIC_RELEASE);
  prepared_++;
  return prepared;
}

int Uring::Enter(unsigned completions) {
  const long submitted = syscall(kEnterCall, fd_.get(), prepared_, completions, kGetEvents, nullptr, size_t{0});
  if (submitted < 0) return errno;
  prepared_ -= static_cast<uint32_t>(submitted);
  return 0;
}

bool Uring::Take(UringCompletion* out) {
  const uint32_t head = *completion_head_;  // written by this thread alone
  if (head == __atomic_load_n(completion_tail_, __ATOMIC_ACQUIRE)) return false;
  *out = completions_[head & completion_mask_];
  __atomic_store_n(completion_head_, head + 1, __ATOMIC_RELEASE);
  return true;
}

}  // namespace shoal::fuse
