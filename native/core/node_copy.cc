#include "core/node_copy.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <system_error>

#include "core/crc32c.h"
#include "core/format.h"
#include "core/read_retry.h"

namespace shoal {
namespace {

using format::kBlockSize;
using format::kHeaderLength;

// Read from storage at once: as much as network filesystems move in one request (rsize of NFS, a stripe of Lustre), so
// that a block costs one round trip and brings its neighbours with it.
constexpr uint64_t kBatchBlocks = 16;
constexpr uint64_t kBatchLength = kBatchBlocks * kBlockSize;

// Whoever brings a slot may have been stopped (SIGSTOP): after so long another one brings it, too.
constexpr int kMaxWaits = 2000;
constexpr long kWaitNanoseconds = 1000 * 1000;

// Before what storage did not give is asked for again.
constexpr std::chrono::seconds kFirstPause{1};
constexpr std::chrono::seconds kLongestPause{60};

uint64_t RoundUp(uint64_t value, uint64_t to) { return (value + to - 1) / to * to; }

uint64_t BlockStart(uint64_t block) { return kHeaderLength + block * kBlockSize; }

}  // namespace

// The turn of this thread at a slot, which no other thread or process has at the same time, unless its owner does not
// come on.
class NodeCopy::Turn {
 public:
  Turn(const NodeCopy& copy, uint64_t slot) : copy_(copy), slot_(slot), claimed_(copy.Claim(slot)) {
    for (int waits = 0; !claimed_ && waits < kMaxWaits && !copy_.IsPresent(slot_); waits++) {
      const timespec time = {0, kWaitNanoseconds};
      nanosleep(&time, nullptr);
      claimed_ = copy_.Claim(slot_);
    }
  }
  ~Turn() {
    if (claimed_) copy_.Release(slot_);
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

 private:
  const NodeCopy& copy_;
  const uint64_t slot_;
  bool claimed_;
};

Status NodeCopy::Open(const StorageFile* storage, const std::string& name, uint64_t blocks_end, uint64_t length,
                      std::unique_ptr<NodeCopy>* out) {
  std::unique_ptr<NodeCopy> copy(new NodeCopy());
  copy->storage_ = storage;
  copy->blocks_end_ = blocks_end;
  const uint64_t slots = copy->BatchCount() + 1;
  copy->map_begin_ = RoundUp(slots, kBlockSize);
  copy->map_length_ = kHeadRoom + length;
  copy->claimed_.reset(new std::atomic<bool>[slots]());
  SHOAL_RETURN_IF_ERROR(NodeFile::Open(name, copy->map_begin_ + copy->map_length_, &copy->file_));
  void* map =
      mmap(nullptr, copy->map_length_, PROT_READ, MAP_SHARED, copy->file_.fd(), static_cast<off_t>(copy->map_begin_));
  if (map == MAP_FAILED) return Status::FromErrno("cannot map the copy of the index", storage->path(), errno);
  copy->map_ = static_cast<const uint8_t*>(map);
  *out = std::move(copy);
  return Status();
}

NodeCopy::~NodeCopy() {
  {
    std::lock_guard<std::mutex> lock(stop_mutex_);
    stopping_ = true;
  }
  stop_signal_.notify_all();
  if (bringing_.joinable()) bringing_.join();
  if (map_ != nullptr) munmap(const_cast<uint8_t*>(map_), map_length_);
}

uint64_t NodeCopy::BatchCount() const { return RoundUp(blocks_end_ - kHeaderLength, kBatchLength) / kBatchLength; }

Status NodeCopy::ReadTable(std::vector<uint32_t>* table, uint32_t checksum, uint32_t* found) const {
  const uint64_t slot = BatchCount();
  const size_t size = table->size() * sizeof(uint32_t);
  const auto is_there = [&] {
    return IsPresent(slot) && Get(blocks_end_, table->data(), size) &&
           (*found = Crc32c(table->data(), size)) == checksum;
  };
  if (is_there()) return Status();
  const Turn turn(*this, slot);
  if (is_there()) return Status();
  SHOAL_RETURN_IF_ERROR(storage_->Read(blocks_end_, table->data(), size, kNetworkRetries));
  *found = Crc32c(table->data(), size);
  if (*found == checksum && Put(blocks_end_, table->data(), size)) MarkPresent(slot);
  return Status();
}

void NodeCopy::Start(const std::vector<uint32_t>* checksums) {
  checksums_ = checksums;
  // Memory of this process alone is taken only for what it touches: no place vouches that there is enough of it.
  if (!file_.is_shared()) return;
  try {
    bringing_ = std::thread([this] { BringAll(); });
  } catch (const std::system_error&) {
    // Without the thread, blocks come when they are touched.
  }
}

Status NodeCopy::Load(uint64_t block, uint32_t* found) const {
  uint8_t bytes[kBlockSize];
  const uint64_t start = BlockStart(block);
  const size_t size = std::min<uint64_t>(kBlockSize, blocks_end_ - start);
  const uint32_t expected = (*checksums_)[block];
  Bring(block / kBatchBlocks);
  // Not from the map: of a hole in it the kernel would make a page, or SIGBUS where there is no memory for one.
  if (Get(start, bytes, size) && (*found = Crc32c(bytes, size)) == expected) return Status();

  // It could not be brought, or not be kept, or somebody damaged the copy.
  storage_->Forget(start, size);
  SHOAL_RETURN_IF_ERROR(storage_->Read(start, bytes, size, kNetworkRetries));
  *found = Crc32c(bytes, size);
  if (*found != expected || Put(start, bytes, size)) return Status();
  return KeepPrivately(start, bytes, size);
}

// Whatever comes of it: the block that is wanted is looked at by itself.
void NodeCopy::Bring(uint64_t batch) const {
  if (full_ || IsPresent(batch)) return;
  const Turn turn(*this, batch);
  if (!IsPresent(batch)) {
    const Status ignored = Fetch(batch);
    (void)ignored;
  }
}

// Once; of what storage does not give, the block that is wanted is then asked for alone, with patience.
Status NodeCopy::Fetch(uint64_t batch) const {
  const uint64_t begin = kHeaderLength + batch * kBatchLength;
  const uint64_t end = std::min(begin + kBatchLength, blocks_end_);
  const std::unique_ptr<uint8_t[]> bytes(new uint8_t[end - begin]);
  SHOAL_RETURN_IF_ERROR(storage_->Read(begin, bytes.get(), end - begin, 0));
  storage_->Forget(begin, end - begin);  // it would lie in memory twice
  bool kept = true;
  for (uint64_t at = begin; at < end; at += kBlockSize) {
    const uint8_t* block = bytes.get() + (at - begin);
    const size_t size = std::min<uint64_t>(kBlockSize, end - at);
    // One that does not match is left out: who touches it asks storage again.
    const bool matches = Crc32c(block, size) == (*checksums_)[(at - kHeaderLength) / kBlockSize];
    kept = (!matches || Put(at, block, size)) && kept;
  }
  if (!kept || !MarkPresent(batch)) full_ = true;
  return Status();
}

void NodeCopy::BringAll() {
  std::chrono::seconds pause = kFirstPause;
  while (!BringMissing()) {
    std::unique_lock<std::mutex> lock(stop_mutex_);
    if (stop_signal_.wait_for(lock, pause, [this] { return stopping_.load(); })) return;
    pause = std::min(2 * pause, kLongestPause);
  }
}

// One round in the order of the file. True if there is nothing more to do.
bool NodeCopy::BringMissing() const {
  const uint64_t batches = BatchCount();
  bool complete = true;
  for (uint64_t batch = 0; batch < batches; batch++) {
    if (stopping_ || full_) return true;
    if (IsPresent(batch)) continue;
    // What others bring meanwhile is left to them, so that the processes of a node share the work.
    const bool claimed = Claim(batch);
    const bool brought = claimed && (IsPresent(batch) || Fetch(batch).ok());
    if (claimed) Release(batch);
    complete = complete && brought;
  }
  return complete;
}

bool NodeCopy::IsPresent(uint64_t slot) const {
  uint8_t mark = 0;
  return pread(file_.fd(), &mark, 1, static_cast<off_t>(slot)) == 1 && mark != 0;
}

bool NodeCopy::MarkPresent(uint64_t slot) const {
  const uint8_t mark = 1;
  return pwrite(file_.fd(), &mark, 1, static_cast<off_t>(slot)) == 1;
}

// A lock of the open file description (fcntl(2)) tells processes from each other, and goes with its owner.
bool NodeCopy::Claim(uint64_t slot) const {
  if (claimed_[slot].exchange(true)) return false;
  struct flock lock = {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  lock.l_start = static_cast<off_t>(slot);
  lock.l_len = 1;
  if (fcntl(file_.fd(), F_OFD_SETLK, &lock) == 0 || (errno != EAGAIN && errno != EACCES)) return true;
  claimed_[slot] = false;
  return false;
}

void NodeCopy::Release(uint64_t slot) const {
  struct flock lock = {};
  lock.l_type = F_UNLCK;
  lock.l_whence = SEEK_SET;
  lock.l_start = static_cast<off_t>(slot);
  lock.l_len = 1;
  fcntl(file_.fd(), F_OFD_SETLK, &lock);
  claimed_[slot] = false;
}

bool NodeCopy::Get(uint64_t offset, void* to, size_t size) const {
  size_t got = 0;
  return ReadUpTo(file_.fd(), storage_->path(), PlaceOf(offset), to, size, &got).ok() && got == size;
}

bool NodeCopy::Put(uint64_t offset, const void* from, size_t size) const {
  return WriteExact(file_.fd(), storage_->path(), PlaceOf(offset), from, size).ok();
}

Status NodeCopy::KeepPrivately(uint64_t offset, const uint8_t* bytes, size_t size) const {
  std::lock_guard<std::mutex> lock(private_mutex_);
  const uint64_t place = PlaceOf(offset);
  if (!private_.valid()) {
    private_.reset(memfd_create("shoal index", MFD_CLOEXEC));
    if (!private_.valid() || ftruncate(private_.get(), static_cast<off_t>(map_begin_ + map_length_)) != 0) {
      return Status::FromErrno("cannot keep a block of the index in memory", storage_->path(), errno);
    }
  }
  SHOAL_RETURN_IF_ERROR(WriteExact(private_.get(), storage_->path(), place, bytes, size));
  // Neighbours in the same file become one mapping, of which the kernel allows 65 530 (vm.max_map_count).
  void* const address = const_cast<uint8_t*>(map_ + (place - map_begin_));
  if (mmap(address, size, PROT_READ, MAP_SHARED | MAP_FIXED, private_.get(), static_cast<off_t>(place)) == MAP_FAILED) {
    return Status::FromErrno("cannot map a block of the index", storage_->path(), errno);
  }
  return Status();
}

}  // namespace shoal
