#include "core/block_cache.h"

#include <sys/mman.h>

#include <algorithm>
#include <cerrno>

namespace shoal {
namespace {

// Threads that read different blocks seldom meet in one of 16 shards; with fewer than 16 blocks in a shard its share
// would be too small to choose from.
constexpr size_t kMaxShards = 16;
constexpr size_t kMinBlocksOfShard = 16;

}  // namespace

// A block's worth of memory and what is in it. All but `pins` is guarded by the shard's lock; `data` points to bytes
// that change only while the state is kLoading.
struct BlockCache::Frame {
  enum class State : uint8_t { kLoading, kLoaded, kFailed };

  Shard* shard = nullptr;
  uint8_t* data = nullptr;
  Key key{};
  bool known = false;  // found by its key
  State state = State::kFailed;
  bool again = false;             // asked for again since it was last looked at
  std::atomic<uint32_t> pins{0};  // goes up only under the lock, and is zero for a frame that is taken
  Status failure;                 // of kFailed
  Frames* list = nullptr;         // that it is in
  Frames::iterator place;         // there
};

struct BlockCache::Shard {
  std::mutex mutex;
  std::condition_variable loaded;  // or failed
  uint8_t* memory = nullptr;       // of all its frames
  size_t capacity = 0;
  size_t block_length = 0;
  size_t made = 0;  // frames used so far
  std::unordered_map<Key, Frame*, KeyHash> known;
  Frames passed;  // read to the end by a stream, forgotten or failed: nobody's
  Frames random;
  Frames ahead;  // read for a stream, and not passed yet

  Frame* Lookup(const Key& key) const {
    const auto found = known.find(key);
    return found == known.end() ? nullptr : found->second;
  }

  static void Move(Frame* frame, Frames* to, Frames::iterator before) {
    to->splice(before, *frame->list, frame->place);
    frame->list = to;
  }
  void Discard(Frame* frame) {
    if (frame->known) known.erase(frame->key);
    frame->known = false;
    Move(frame, &passed, passed.begin());
  }

  // A frame that nobody uses, or nullptr.
  Frame* Take(Reader reader);
  Frame* Make();
  static Frame* Unpinned(Frames& frames);
  Frame* SecondChance();

  // Waits for a block that is found, and pins it.
  Status Use(Frame* frame, std::unique_lock<std::mutex>& lock, Pin* out);
};

BlockCache::Pin& BlockCache::Pin::operator=(Pin&& other) noexcept {
  std::swap(frame_, other.frame_);
  return *this;
}

BlockCache::Pin::~Pin() {
  if (frame_ != nullptr) frame_->pins.fetch_sub(1, std::memory_order_release);
}

const uint8_t* BlockCache::Pin::data() const { return frame_->data; }

Status BlockCache::Create(uint64_t bytes, size_t block_length, std::unique_ptr<BlockCache>* out) {
  const uint64_t capacity = std::max<uint64_t>(bytes / block_length, 1);
  void* memory = mmap(nullptr, capacity * block_length, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) {
    const std::string what = "cannot get " + std::to_string(capacity * block_length) +
                             " bytes for the cache of blocks (a smaller cache_size needs less)";
    return Status::FromErrno(what.c_str(), "", errno);
  }
  out->reset(new BlockCache(static_cast<uint8_t*>(memory), capacity, block_length));
  return Status();
}

BlockCache::BlockCache(uint8_t* memory, size_t capacity, size_t block_length)
    : memory_(memory), capacity_(capacity), block_length_(block_length) {
  const size_t count = std::clamp<size_t>(capacity / kMinBlocksOfShard, 1, kMaxShards);
  size_t begin = 0;
  for (size_t i = 0; i < count; i++) {
    const size_t end = capacity * (i + 1) / count;
    shards_.push_back(std::make_unique<Shard>());
    shards_.back()->memory = memory + begin * block_length;
    shards_.back()->capacity = end - begin;
    shards_.back()->block_length = block_length;
    begin = end;
  }
}

BlockCache::~BlockCache() { munmap(memory_, capacity_ * block_length_); }

// Blocks that follow each other lie in different shards, so that a stream takes the same of each.
BlockCache::Shard& BlockCache::ShardOf(const Key& key) {
  return *shards_[(key.source * 7 + key.block) % shards_.size()];
}

Status BlockCache::Find(const BlockSource& source, uint64_t block, Pin* out) {
  const Key key{source.id(), block};
  Shard& shard = ShardOf(key);
  std::unique_lock<std::mutex> lock(shard.mutex);
  Frame* frame = shard.Lookup(key);
  return frame == nullptr ? Status() : shard.Use(frame, lock, out);
}

Status BlockCache::Load(const BlockSource& source, uint64_t block, Reader reader, Pin* out) {
  const Key key{source.id(), block};
  Shard& shard = ShardOf(key);
  std::unique_lock<std::mutex> lock(shard.mutex);
  Frame* frame = shard.Lookup(key);
  if (frame != nullptr) return shard.Use(frame, lock, out);
  frame = shard.Take(reader);
  if (frame == nullptr) return Status();
  frame->pins.fetch_add(1, std::memory_order_relaxed);
  Pin pin(frame);
  shard.known.emplace(key, frame);
  frame->key = key;
  frame->known = true;
  frame->state = Frame::State::kLoading;
  frame->again = false;
  Frames& list = reader == Reader::kRandom ? shard.random : shard.ahead;
  Shard::Move(frame, &list, list.end());
  lock.unlock();

  const uint64_t begin = block * block_length_;
  Status status =
      source.Read(begin, frame->data, static_cast<size_t>(std::min<uint64_t>(block_length_, source.length() - begin)));

  lock.lock();
  frame->state = status.ok() ? Frame::State::kLoaded : Frame::State::kFailed;
  frame->failure = status;
  if (!status.ok()) shard.Discard(frame);
  shard.loaded.notify_all();
  if (status.ok()) *out = std::move(pin);
  return status;
}

Status BlockCache::Shard::Use(Frame* frame, std::unique_lock<std::mutex>& lock, Pin* out) {
  frame->pins.fetch_add(1, std::memory_order_relaxed);
  Pin pin(frame);
  while (frame->state == Frame::State::kLoading) loaded.wait(lock);
  if (frame->state == Frame::State::kFailed) return frame->failure;
  frame->again = true;
  if (frame->list == &passed && frame->known) Move(frame, &passed, passed.end());
  *out = std::move(pin);
  return Status();
}

void BlockCache::Pass(const Pin& pin) {
  Frame* frame = pin.frame_;
  Shard& shard = *frame->shard;
  std::lock_guard<std::mutex> lock(shard.mutex);
  if (frame->list == &shard.ahead) Shard::Move(frame, &shard.passed, shard.passed.end());
}

void BlockCache::Forget(const BlockSource& source, uint64_t block) {
  const Key key{source.id(), block};
  Shard& shard = ShardOf(key);
  std::lock_guard<std::mutex> lock(shard.mutex);
  Frame* frame = shard.Lookup(key);
  // One that is being read comes from storage at this moment.
  if (frame != nullptr && frame->state == Frame::State::kLoaded) shard.Discard(frame);
}

BlockCache::Frame* BlockCache::Shard::Take(Reader reader) {
  const bool full = ahead.size() >= std::max<size_t>(capacity / 4, 2);
  Frame* frame = nullptr;
  if (full && reader == Reader::kReadahead) return nullptr;
  if (full && reader == Reader::kStream) {
    frame = Unpinned(ahead);
  } else {
    frame = made < capacity ? Make() : Unpinned(passed);
    if (frame == nullptr) frame = SecondChance();
    if (frame == nullptr && reader != Reader::kReadahead) frame = Unpinned(ahead);
  }
  if (frame != nullptr && frame->known) known.erase(frame->key);
  if (frame != nullptr) frame->known = false;
  return frame;
}

BlockCache::Frame* BlockCache::Shard::Make() {
  passed.emplace_front();
  Frame* frame = &passed.front();
  frame->shard = this;
  frame->data = memory + made++ * block_length;
  frame->list = &passed;
  frame->place = passed.begin();
  return frame;
}

BlockCache::Frame* BlockCache::Shard::Unpinned(Frames& frames) {
  // Acquire: whoever had it pinned has copied its bytes.
  for (Frame& frame : frames) {
    if (frame.pins.load(std::memory_order_acquire) == 0) return &frame;
  }
  return nullptr;
}

BlockCache::Frame* BlockCache::Shard::SecondChance() {
  for (size_t looks = 2 * random.size(); looks > 0; looks--) {
    Frame* frame = &random.front();
    const bool pinned = frame->pins.load(std::memory_order_acquire) != 0;
    if (!pinned && !frame->again) return frame;
    if (!pinned) frame->again = false;
    Move(frame, &random, random.end());
  }
  return nullptr;
}

}  // namespace shoal
