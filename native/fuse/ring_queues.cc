#include "fuse/ring_queues.h"

#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <new>
#include <string>
#include <system_error>

#include "fuse/answers.h"
#include "fuse/clock.h"
#include "fuse/protocol.h"
#include "fuse/uring.h"

namespace shoal::fuse {
namespace {

// Requests of one processor that may be under way: those that programs wait for, and readahead beside them.
constexpr unsigned kDepth = 4;

// What replies of all queues may take, whatever the number of processors, and what the shortest must hold: a READ of 32
// pages, and the longest extended attribute.
constexpr size_t kReplyMemory = 64 << 20;
constexpr size_t kLeastReply = 128 << 10;

// Of an entry: its headers, of a page; and what a request may be long, names being 255 bytes at most.
constexpr size_t kHeaderRoom = 4096;
constexpr size_t kBodyRoom = 8192;

// A sched_yield(2) that takes longer has let somebody else run.
constexpr int64_t kYieldNanoseconds = 2'000;

constexpr uint32_t kRegister = 1;        // FUSE_IO_URING_CMD_REGISTER
constexpr uint32_t kCommitAndFetch = 2;  // FUSE_IO_URING_CMD_COMMIT_AND_FETCH

// struct fuse_uring_cmd_req
struct CommandRequest {
  uint64_t flags;
  uint64_t commit_id;
  uint16_t queue;
  uint8_t padding[6];
};

// struct fuse_uring_req_header
struct RingHeader {
  uint8_t in_out[128];  // InHeader from the kernel, OutHeader to it
  uint8_t first[128];   // the request's first argument
  uint64_t flags;
  uint64_t commit_id;
  uint32_t payload_size;
  uint32_t padding;
  uint64_t reserved;
};
static_assert(sizeof(RingHeader) == 288 && sizeof(CommandRequest) == 24, "rings");

std::string FirstLine(const char* path) {
  char line[64] = "";
  std::FILE* file = std::fopen(path, "re");
  if (file == nullptr) return line;
  if (std::fgets(line, sizeof line, file) == nullptr) line[0] = '\0';
  std::fclose(file);
  return line;
}

bool IsEnabled() { return FirstLine("/sys/module/fuse/parameters/enable_uring")[0] == 'Y'; }

// The kernel has a queue for each processor that may ever be there, numbered up to the last one of "0-63" or "0,2-3".
unsigned CountQueues() {
  const std::string line = FirstLine("/sys/devices/system/cpu/possible");
  const size_t last = line.find_last_of(",-");
  return line.empty() ? 0 : static_cast<unsigned>(std::atoi(line.c_str() + (last + 1))) + 1;
}

unsigned DepthFor(unsigned queues) {
  return static_cast<unsigned>(std::clamp<size_t>(kReplyMemory / queues / kLeastReply, 1, kDepth));
}

}  // namespace

struct RingQueues::Entry {
  RingHeader* header = nullptr;
  uint8_t* payload = nullptr;
  iovec parts[2];
};

struct RingQueues::Worker {
  uint16_t queue = 0;
  Uring ring;
  std::vector<Entry> entries;
  uint8_t* memory = nullptr;  // of the entries; untouched until used
  size_t length = 0;
  size_t registered = 0;  // entries that the kernel has or that are being answered
  std::vector<uint64_t> arrived;
  bool quick = false;  // the last request came soon after the one before
  std::atomic<uint64_t> requests{0};
  Workspace workspace;
  Recorder recorder;
  alignas(8) uint8_t body[kBodyRoom];

  ~Worker() {
    if (memory != nullptr) munmap(memory, length);
  }

  bool Allocate(unsigned depth, size_t reply_room) {
    const size_t each = kHeaderRoom + reply_room;
    length = each * depth;
    void* mapped = mmap(nullptr, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (mapped == MAP_FAILED) return false;
    memory = static_cast<uint8_t*>(mapped);
    workspace.capacity = reply_room;
    entries.resize(depth);
    arrived.reserve(depth);
    for (unsigned i = 0; i < depth; i++) {
      Entry& entry = entries[i];
      entry.header = reinterpret_cast<RingHeader*>(memory + i * each);
      entry.payload = memory + i * each + kHeaderRoom;
      entry.parts[0] = {entry.header, sizeof(RingHeader)};
      entry.parts[1] = {entry.payload, reply_room};
    }
    return true;
  }

  UringCommand* Command(int device, uint32_t code, size_t entry, uint64_t commit_id) {
    UringCommand* command = ring.Prepare(device, code, entry);
    const CommandRequest own = {0, commit_id, queue, {}};
    std::memcpy(command->own, &own, sizeof own);
    return command;
  }
};

std::unique_ptr<RingQueues> RingQueues::Prepare(Operations& operations, uint32_t max_reply, bool polling) {
  const unsigned queues = IsEnabled() ? CountQueues() : 0;
  if (queues == 0 || queues > UINT16_MAX) return nullptr;
  std::unique_ptr<RingQueues> rings(new RingQueues(operations, max_reply, polling, queues));
  return rings->StartThreads() ? std::move(rings) : nullptr;
}

RingQueues::RingQueues(Operations& operations, uint32_t max_reply, bool polling, unsigned queues)
    : operations_(operations), polling_(polling) {
  const size_t share = kReplyMemory / queues / DepthFor(queues);
  reply_room_ = static_cast<uint32_t>(std::clamp<size_t>(share, kLeastReply, std::max<size_t>(max_reply, kLeastReply)));
  for (unsigned queue = 0; queue < queues; queue++) {
    workers_.push_back(std::make_unique<Worker>());
    workers_.back()->queue = static_cast<uint16_t>(queue);
  }
}

RingQueues::~RingQueues() {
  Give(Order::kLeave);
  for (std::thread& thread : threads_) thread.join();
}

bool RingQueues::StartThreads() {
  try {
    for (auto& worker : workers_) threads_.emplace_back([this, &worker] { Run(*worker); });
  } catch (const std::system_error&) {
    return false;
  }
  std::unique_lock<std::mutex> lock(mutex_);
  while (!failed_ && ready_ < workers_.size()) changed_.wait(lock);
  return !failed_;
}

void RingQueues::Start(int device, std::function<void()> left) {
  device_ = device;
  left_ = std::move(left);
  Give(Order::kServe);
}

void RingQueues::Give(Order order) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (order_ == Order::kWait) order_ = order;
  changed_.notify_all();
}

uint64_t RingQueues::requests() const {
  uint64_t sum = 0;
  for (const auto& worker : workers_) sum += worker->requests.load(std::memory_order_relaxed);
  return sum;
}

void RingQueues::Tell(Statistics* statistics) const {
  for (const auto& worker : workers_) statistics->Add(worker->recorder);
}

void RingQueues::Run(Worker& worker) {
  cpu_set_t processor;
  CPU_ZERO(&processor);
  CPU_SET(worker.queue, &processor);
  // Where a job is confined to other processors, nobody asks in this queue either.
  pthread_setaffinity_np(pthread_self(), sizeof processor, &processor);
  const unsigned depth = DepthFor(threads());
  const bool ready = worker.Allocate(depth, reply_room_) && worker.ring.Open(depth).ok();
  {
    std::unique_lock<std::mutex> lock(mutex_);
    ready_++;
    failed_ = failed_ || !ready;
    changed_.notify_all();
    while (order_ == Order::kWait) changed_.wait(lock);
    if (order_ == Order::kLeave) return;
  }
  Serve(worker);
  left_();
}

void RingQueues::Serve(Worker& worker) {
  Register(worker);
  while (worker.registered > 0) {
    if (!Await(worker)) return;
    for (const uint64_t number : worker.arrived) Answer(worker, worker.entries[number]);
  }
}

void RingQueues::Register(Worker& worker) {
  worker.registered = worker.entries.size();
  for (size_t number = 0; number < worker.registered; number++) {
    UringCommand* command = worker.Command(device_, kRegister, number, 0);
    command->address = reinterpret_cast<uint64_t>(worker.entries[number].parts);
    command->length = 2;
  }
}

// Gives the kernel what was answered and waits for the next requests. False: the ring is of no use any more.
//
// A processor that goes idle draws the program that is answered from another one to it, and wakes up for that: dearer
// than its request. So the thread polls for a while, but only if nobody else wants to run here: those who do are mostly
// about to ask, and are better answered together.
bool RingQueues::Await(Worker& worker) {
  worker.arrived.clear();
  const int64_t since = Now();
  bool poll = polling_ && worker.quick;
  for (;;) {
    const int error = worker.ring.Enter(poll ? 0 : 1);
    if (error != 0 && error != EINTR) return false;
    UringCompletion done;
    while (worker.ring.Take(&done)) {
      if (done.result == 0) {
        worker.arrived.push_back(done.user_data);
      } else {
        worker.registered--;  // the session has ended
      }
    }
    if (!worker.arrived.empty() || worker.registered == 0) break;
    if (!poll) continue;
    const int64_t before = Now();
    sched_yield();
    const int64_t after = Now();
    poll = after - before < kYieldNanoseconds && after - since < kPollNanoseconds;
  }
  worker.quick = Now() - since < kPollNanoseconds;
  return true;
}

void RingQueues::Answer(Worker& worker, Entry& entry) {
  RingHeader& ring = *entry.header;
  InHeader header;
  std::memcpy(&header, ring.in_out, sizeof header);
  // The first argument lies in the header, the others follow in the payload, where the answer will be.
  const size_t sent = std::min<size_t>(header.len - std::min<size_t>(header.len, sizeof header), kBodyRoom);
  const size_t rest = std::min<size_t>(ring.payload_size, sent);
  const size_t first = std::min(sent - rest, sizeof ring.first);
  std::memcpy(worker.body, ring.first, first);
  std::memcpy(worker.body + first, entry.payload, rest);

  worker.workspace.room = entry.payload;
  fuse::Answer answer;
  const Recording recording(worker.recorder, header.opcode, answer);
  try {
    answer = operations_.Handle(header, std::string_view(reinterpret_cast<const char*>(worker.body), first + rest),
                                worker.workspace);
  } catch (const std::bad_alloc&) {
    answer = Failure(ENOMEM);
  }
  const OutHeader out{static_cast<uint32_t>(sizeof(OutHeader) + answer.size), -answer.error, header.unique};
  std::memcpy(ring.in_out, &out, sizeof out);
  ring.payload_size = static_cast<uint32_t>(answer.size);
  worker.Command(device_, kCommitAndFetch, static_cast<size_t>(&entry - worker.entries.data()), ring.commit_id);
  worker.requests.store(worker.requests.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

}  // namespace shoal::fuse
