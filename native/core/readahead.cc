#include "core/readahead.h"

#include <signal.h>

#include <algorithm>
#include <chrono>
#include <system_error>
#include <thread>

namespace shoal {
namespace {

// Bytes ahead of a stream: on a network 8 MiB under way hide 5 ms of latency at 1.6 GB/s. On local storage it is
// processors that are kept busy, for which less will do, and less is decompressed in vain where a stream ends. No
// stream takes more than an eighth of the cache ahead of itself.
constexpr uint64_t kNetworkWindow = 8 << 20;
constexpr uint64_t kLocalWindow = 2 << 20;

// Threads that wait for a network; more where blocks are short, so that as many bytes are under way. On local storage
// there is one for each processor.
constexpr uint64_t kMinNetworkThreads = 8;
constexpr uint64_t kMaxNetworkThreads = 32;
constexpr unsigned kMaxLocalThreads = 8;

// Streams at the same time: more than readers of large files on a node. Of ends of blocks that nothing followed yet,
// as many as random readers may touch between two blocks of a stream.
constexpr size_t kStreams = 32;
constexpr size_t kLoneEnds = 128;

constexpr size_t kJobs = 256;  // waiting; what is beyond them is not read ahead

constexpr std::chrono::seconds kPatience{2};

struct Stream {
  uint64_t source = 0;
  uint64_t next = 0;    // block that its reader wants next
  uint64_t until = 0;   // blocks before this one are read or under way
  uint64_t window = 0;  // 0: this one is not used
  uint64_t used = 0;    // when it went on: the count of ends
};

struct LoneEnd {
  uint64_t source = 0;
  uint64_t next = 0;  // block after it; 0: this one is not used
};

struct Job {
  std::shared_ptr<const BlockSource> source;
  uint64_t block = 0;
};

uint64_t MaxWindow(const BlockCache& blocks, StorageKind storage) {
  const uint64_t bytes = storage == StorageKind::kNetwork ? kNetworkWindow : kLocalWindow;
  return std::min<uint64_t>(std::max<uint64_t>(bytes / blocks.block_length(), 1), blocks.capacity() / 8);
}

unsigned ThreadsFor(const BlockCache& blocks, StorageKind storage) {
  if (storage == StorageKind::kLocal) return std::clamp(std::thread::hardware_concurrency(), 1U, kMaxLocalThreads);
  const uint64_t under_way = kNetworkWindow / blocks.block_length();
  return static_cast<unsigned>(std::clamp(under_way, kMinNetworkThreads, kMaxNetworkThreads));
}

}  // namespace

struct Readahead::State {
  State(std::shared_ptr<BlockCache> cache, StorageKind storage)
      : blocks(std::move(cache)), max_window(MaxWindow(*blocks, storage)) {}

  const std::shared_ptr<BlockCache> blocks;
  const uint64_t max_window;

  mutable std::mutex mutex;
  std::condition_variable wanted;  // a job is there, or the threads are to end
  std::condition_variable ended;
  std::array<Stream, kStreams> streams;
  std::array<LoneEnd, kLoneEnds> lone_ends;
  size_t oldest_lone_end = 0;
  uint64_t ends = 0;
  std::array<Job, kJobs> jobs;  // a ring
  size_t first_job = 0;
  size_t job_count = 0;
  unsigned threads = 0;
  bool ending = false;

  Stream* StreamAt(uint64_t source, uint64_t block);
  Stream* BecomeStream(uint64_t source, uint64_t block);
  void Advance(Stream& stream, const std::shared_ptr<const BlockSource>& source, uint64_t block);
};

Readahead::Readahead(std::shared_ptr<BlockCache> blocks, StorageKind storage)
    : state_(std::make_shared<State>(std::move(blocks), storage)) {
  if (state_->max_window == 0) return;
  sigset_t all;
  sigset_t before;
  sigfillset(&all);  // signals are for the thread that decides what they mean
  pthread_sigmask(SIG_SETMASK, &all, &before);
  for (unsigned i = ThreadsFor(*state_->blocks, storage); i > 0; i--) {
    try {
      std::thread([state = state_] { Run(state); }).detach();
    } catch (const std::system_error&) {
      break;  // fewer do as well
    }
    std::lock_guard<std::mutex> lock(state_->mutex);
    state_->threads++;
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

Readahead::~Readahead() {
  std::unique_lock<std::mutex> lock(state_->mutex);
  state_->ending = true;
  state_->wanted.notify_all();
  state_->ended.wait_for(lock, kPatience, [this] { return state_->threads == 0; });
}

void Readahead::NoteEnd(const std::shared_ptr<const BlockSource>& source, uint64_t block) {
  if (state_->max_window == 0) return;
  State& state = *state_;
  std::lock_guard<std::mutex> lock(state.mutex);
  state.ends++;
  Stream* stream = state.StreamAt(source->id(), block);
  if (stream == nullptr) stream = state.BecomeStream(source->id(), block);
  if (stream != nullptr) state.Advance(*stream, source, block);
}

bool Readahead::IsOfStream(const BlockSource& source, uint64_t block) const {
  std::lock_guard<std::mutex> lock(state_->mutex);
  for (const Stream& stream : state_->streams) {
    if (stream.window == 0 || stream.source != source.id()) continue;
    if (block + 1 >= stream.next && block <= stream.next + stream.window) return true;
  }
  return false;
}

// The kernel sends the reads of one program side by side: two ends may come in the wrong order, or one of them twice.
Stream* Readahead::State::StreamAt(uint64_t source, uint64_t block) {
  for (Stream& stream : streams) {
    if (stream.window == 0 || stream.source != source) continue;
    if (block + 1 >= stream.next && block <= stream.next + 1) return &stream;
  }
  return nullptr;
}

// A stream in place of the one that has stood still for longest, if the end of the block before was noted, too.
Stream* Readahead::State::BecomeStream(uint64_t source, uint64_t block) {
  for (LoneEnd& end : lone_ends) {
    if (end.next == 0 || end.source != source) continue;
    if (end.next == block + 1) return nullptr;  // noted before
    if (end.next != block) continue;
    end = LoneEnd();
    const auto older = [](const Stream& a, const Stream& b) { return a.used < b.used; };
    Stream* stream = &*std::min_element(streams.begin(), streams.end(), older);
    *stream = Stream();
    stream->source = source;
    stream->next = block;
    return stream;
  }
  lone_ends[oldest_lone_end] = {source, block + 1};
  oldest_lone_end = (oldest_lone_end + 1) % kLoneEnds;
  return nullptr;
}

void Readahead::State::Advance(Stream& stream, const std::shared_ptr<const BlockSource>& source, uint64_t block) {
  stream.used = ends;
  if (block < stream.next) return;
  stream.next = block + 1;
  stream.window = std::clamp<uint64_t>(stream.window * 2, 1, max_window);
  const uint64_t count = (source->length() + blocks->block_length() - 1) / blocks->block_length();
  const uint64_t end = std::min(stream.next + stream.window, count);
  for (stream.until = std::max(stream.until, stream.next); stream.until < end && job_count < kJobs; stream.until++) {
    Job& job = jobs[(first_job + job_count++) % kJobs];
    job.source = source;
    job.block = stream.until;
    wanted.notify_one();
  }
}

void Readahead::Run(const std::shared_ptr<State>& state) {
  std::unique_lock<std::mutex> lock(state->mutex);
  for (;;) {
    state->wanted.wait(lock, [&] { return state->ending || state->job_count > 0; });
    if (state->ending) break;
    const Job job = std::move(state->jobs[state->first_job]);
    state->first_job = (state->first_job + 1) % kJobs;
    state->job_count--;
    lock.unlock();
    {
      // Whoever waits for the block is told if it fails, and who comes later tries again.
      BlockCache::Pin pin;
      const Status ignored = state->blocks->Load(*job.source, job.block, BlockCache::Reader::kReadahead, &pin);
      (void)ignored;
    }
    lock.lock();
  }
  state->threads--;
  state->ended.notify_all();
}

}  // namespace shoal
