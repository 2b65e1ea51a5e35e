#include "fuse/session.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>
#include <string>
#include <system_error>

#include "fuse/answers.h"
#include "fuse/clock.h"
#include "fuse/protocol.h"
#include "fuse/splice_pipe.h"

namespace shoal::fuse {
namespace {

// Requests are short; room for many FORGETs at once, which the kernel packs into one.
constexpr size_t kRequestRoom = 64 << 10;

// The longest READ; the kernel counts in its pages, of up to 64 KiB on arm64. Memory is taken when it is used.
size_t ReplyRoom() {
  static const auto room = size_t{kRequestPages} * static_cast<size_t>(sysconf(_SC_PAGESIZE));
  return room;
}

// Requests in a row taken without sleeping after which one thread is seen to keep up.
constexpr unsigned kKeepsUp = 256;

// A descriptor of its own for the session that `device` belongs to; invalid where the kernel or a sandbox forbids that.
UniqueFd CloneDevice(int device, int flags) {
  UniqueFd clone(open("/dev/fuse", O_RDWR | O_CLOEXEC | flags));
  uint32_t source = static_cast<uint32_t>(device);
  if (!clone.valid() || ioctl(clone.get(), kDeviceClone, &source) != 0) return UniqueFd();
  return clone;
}

}  // namespace

// A thread's descriptors and buffers; page-aligned and untouched until used.
struct Session::Worker {
  unsigned seat = 0;
  UniqueFd own_blocking;
  UniqueFd own_polling;
  int blocking = -1;
  int polling = -1;  // without one there is no polling
  int device = -1;   // the one that the request came from: a reply must go back there
  uint8_t* memory = nullptr;
  size_t request_length = 0;
  Workspace workspace;
  bool quick = false;    // the last request came soon after the one before
  unsigned unslept = 0;  // requests since this thread last slept
  Recorder recorder;
  SplicePipe pipe;

  ~Worker() {
    if (memory != nullptr) munmap(memory, kRequestRoom + ReplyRoom());
  }

  bool Allocate() {
    void* mapped = mmap(nullptr, kRequestRoom + ReplyRoom(), PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (mapped == MAP_FAILED) return false;
    memory = static_cast<uint8_t*>(mapped);
    workspace.room = memory + kRequestRoom;
    workspace.capacity = ReplyRoom();
    return true;
  }
};

Status Session::Start(UniqueFd device, Operations& operations, const Tuning& tuning, std::function<void()> ended,
                      std::unique_ptr<Session>* out) {
  const unsigned threads =
      tuning.threads != 0 ? tuning.threads : std::min(8u, std::max(2u, std::thread::hardware_concurrency()));
  std::unique_ptr<Session> session(new Session(std::move(device), operations, tuning, threads, std::move(ended)));
  SHOAL_RETURN_IF_ERROR(session->ShakeHands());
  SHOAL_RETURN_IF_ERROR(session->StartWorkers(threads));
  *out = std::move(session);
  return Status();
}

Session::Session(UniqueFd device, Operations& operations, const Tuning& tuning, unsigned threads,
                 std::function<void()> ended)
    : device_(std::move(device)),
      operations_(operations),
      tuning_(tuning),
      ended_(std::move(ended)),
      attendance_(threads) {}

Session::~Session() {
  for (std::thread& thread : threads_) thread.join();
}

Status Session::ShakeHands() {
  alignas(8) uint8_t request[kMinReadBuffer];
  for (;;) {
    const ssize_t length = read(device_.get(), request, sizeof request);
    if (length < 0 && (errno == EINTR || errno == ENOENT || errno == EAGAIN)) continue;
    if (length < 0 && errno == EPERM) {
      return Status(Code::kUsage, "expected /dev/fuse with a mount, found it opened but not mounted").At("/dev/fuse");
    }
    if (length < 0) return Status::FromErrno("cannot take up the FUSE session", "/dev/fuse", errno);
    if (length < static_cast<ssize_t>(sizeof(InHeader))) {
      return Status(Code::kInternal,
                    "expected INIT as the kernel's first request, found " + std::to_string(length) + " bytes");
    }

    InHeader header;
    InitIn offer{};
    std::memcpy(&header, request, sizeof header);
    const size_t body = std::min(static_cast<size_t>(length) - sizeof header, sizeof offer);
    if (header.opcode != static_cast<uint32_t>(Opcode::kInit)) {
      return Status(Code::kInternal,
                    "expected INIT as the kernel's first request, found operation " + std::to_string(header.opcode));
    }
    std::memcpy(&offer, request + sizeof header, body);
    const bool may_ring = (offer.flags & kInitExt) != 0 && (offer.flags2 & (kOverIoUring >> 32)) != 0;
    // A thread of a ring would wait for slow storage with all requests of its processor.
    if (may_ring && tuning_.uring && tuning_.threads == 0)
      rings_ = RingQueues::Prepare(operations_, tuning_.max_read, tuning_.polling);
    const Negotiation agreed =
        Negotiate(offer, body, operations_.has_acls(), tuning_, rings_ ? rings_->reply_room() : 0);
    const bool refused = agreed.outcome == Negotiation::Outcome::kTooOld;
    OutHeader out{static_cast<uint32_t>(sizeof(OutHeader) + (refused ? 0 : sizeof agreed.reply)), refused ? -EPROTO : 0,
                  header.unique};
    iovec parts[2] = {{&out, sizeof out}, {const_cast<InitOut*>(&agreed.reply), sizeof agreed.reply}};
    if (writev(device_.get(), parts, refused ? 1 : 2) < 0) {
      return Status::FromErrno("cannot answer the kernel's INIT", "/dev/fuse", errno);
    }
    if (refused) {
      return Status(Code::kUnsupported, "expected a kernel with FUSE 7." + std::to_string(kOldestMinor) +
                                            " or later (Linux 3.15), found " + std::to_string(offer.major) + "." +
                                            std::to_string(offer.minor) + "; use shoal extract instead");
    }
    if (agreed.outcome == Negotiation::Outcome::kRetry) continue;
    agreed_ = agreed;
    operations_.SetZeroMessageOpens(agreed.no_open, agreed.no_opendir);
    return Status();
  }
}

Status Session::StartWorkers(unsigned threads) {
  for (unsigned seat = 0; seat < threads; seat++) {
    auto worker = std::make_unique<Worker>();
    worker->seat = seat;
    if (tuning_.clone_descriptor) worker->own_blocking = CloneDevice(device_.get(), 0);
    worker->blocking = worker->own_blocking.valid() ? worker->own_blocking.get() : device_.get();
    if (tuning_.polling) worker->own_polling = CloneDevice(device_.get(), O_NONBLOCK);
    worker->polling = worker->own_polling.get();
    if (tuning_.splice && operations_.may_splice() && worker->pipe.Open(ReplyRoom()))
      worker->workspace.splice = worker->pipe.capacity();
    if (!worker->Allocate()) return Status::FromErrno("cannot get memory for a server thread", "", errno);
    workers_.push_back(std::move(worker));
  }

  // Signals are for the thread that decides what they mean, but a fault is for the one that caused it (see
  // core/fault_guard.h).
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  for (int fault : {SIGBUS, SIGSEGV, SIGFPE, SIGILL, SIGTRAP}) sigdelset(&all, fault);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  running_.store(1);  // this thread, until all are started: the session must not end before
  Status status;
  for (auto& worker : workers_) {
    running_.fetch_add(1);
    try {
      threads_.emplace_back([this, &worker] { Run(*worker); });
    } catch (const std::system_error& error) {
      running_.fetch_sub(1);
      // Fewer threads serve as well; none cannot.
      if (threads_.empty()) status = Status(Code::kIo, std::string("cannot start a server thread: ") + error.what());
      break;
    }
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (!status.ok()) return status;
  if (rings_ != nullptr) {
    running_.fetch_add(rings_->threads());
    rings_->Start(device_.get(), [this] { Leave(); });
  }
  Leave();
  return status;
}

void Session::Tell(Statistics* statistics) const {
  for (const auto& worker : workers_) statistics->Add(worker->recorder);
  if (rings_ != nullptr) rings_->Tell(statistics);
  statistics->Set(agreed_);
  statistics->threads = static_cast<unsigned>(threads_.size()) + (rings_ ? rings_->threads() : 0);
  statistics->uptime_nanoseconds = static_cast<uint64_t>(Now() - began_);
}

void Session::Run(Worker& worker) {
  Serve(worker);
  attendance_.End();
  Leave();
}

void Session::Leave() {
  if (running_.fetch_sub(1) == 1) ended_();
}

void Session::Serve(Worker& worker) {
  for (;;) {
    Received received = worker.polling >= 0 ? Receive(worker, worker.polling) : Received::kNothing;
    if (received == Received::kNothing) {
      if (!attendance_.Enter()) {
        attendance_.Park();
        worker.quick = true;
        if (attendance_.ended()) return;
        continue;
      }
      received = Await(worker);
      attendance_.Leave();
    }
    if (received == Received::kEnded) return;
    attendance_.Count(worker.seat);
    if (received == Received::kRequest) Reply(worker);
  }
}

Session::Received Session::Await(Worker& worker) {
  const int64_t since = Now();
  if (worker.quick && worker.polling >= 0 && attendance_.BeginPoll()) {
    const Received received = Poll(worker, since);
    attendance_.EndPoll();
    if (received != Received::kNothing) {
      if (++worker.unslept == kKeepsUp) attendance_.Relax();
      return received;
    }
  }
  worker.unslept = 0;
  Received received;
  do {
    received = Receive(worker, worker.blocking);
  } while (received == Received::kNothing);
  worker.quick = Now() - since < kPollNanoseconds;
  return received;
}

Session::Received Session::Poll(Worker& worker, int64_t since) {
  do {
    const Received received = Receive(worker, worker.polling);
    if (received != Received::kNothing) return received;
    // Whoever else could run on this processor does: the client, if it shares it, or another program of a busy node.
    sched_yield();
  } while (Now() - since < kPollNanoseconds);
  return Received::kNothing;
}

Session::Received Session::Receive(Worker& worker, int device) {
  const ssize_t length = read(device, worker.memory, kRequestRoom);
  if (length >= static_cast<ssize_t>(sizeof(InHeader))) {
    worker.request_length = static_cast<size_t>(length);
    worker.device = device;
    return Received::kRequest;
  }
  // EAGAIN: there is none. EINTR: a debugger stopped us. ENOENT: its sender was interrupted. All else (ENODEV,
  // ECONNABORTED): unmounted.
  if (length < 0 && (errno == EAGAIN || errno == EINTR || errno == ENOENT)) return Received::kNothing;
  return Received::kEnded;
}

Answer Session::Handle(const InHeader& header, std::string_view body, Workspace& workspace) {
  try {
    return operations_.Handle(header, body, workspace);
  } catch (const std::bad_alloc&) {
    return Failure(ENOMEM);
  }
}

void Session::Reply(Worker& worker) {
  InHeader header;
  std::memcpy(&header, worker.memory, sizeof header);
  const std::string_view body(reinterpret_cast<const char*>(worker.memory) + sizeof header,
                              worker.request_length - sizeof header);
  Answer answer;
  const Recording recording(worker.recorder, header.opcode, answer);
  answer = Handle(header, body, worker.workspace);
  if (!answer.expected) return;
  if (answer.file >= 0) {
    if (worker.pipe.Send(worker.device, header.unique, answer.file, answer.offset, answer.size)) return;
    // Storage did not give it: a read tries again, and says what is wrong.
    worker.workspace.splice = 0;
    answer = Handle(header, body, worker.workspace);
    worker.workspace.splice = worker.pipe.capacity();
  }
  OutHeader out{static_cast<uint32_t>(sizeof(OutHeader) + answer.size), -answer.error, header.unique};
  iovec parts[2] = {{&out, sizeof out}, {const_cast<void*>(answer.data), answer.size}};
  if (writev(worker.device, parts, answer.size > 0 ? 2 : 1) >= 0) return;
  // ENOENT: nobody waits any more. ENODEV: unmounted, as the next read will tell. Else the kernel did not take the
  // data, and somebody still waits.
  if (errno == ENOENT || errno == ENODEV) return;
  answer = Failure(EIO);
  out.len = sizeof out;
  out.error = -answer.error;
  const ssize_t ignored = write(worker.device, &out, sizeof out);  // else there is nothing more to say
  (void)ignored;
}

}  // namespace shoal::fuse
