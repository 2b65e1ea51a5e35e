// Holds the cache of blocks and its readahead against a source that knows what was asked of it:
//   block_cache_check storm|flight|pinned|scan|beside|forget|lengths
// Prints what did not hold and exits with 1.
#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <mutex>
#include <random>
#include <set>
#include <thread>
#include <vector>

#include "core/volume_cache.h"
#include "core/volume_file.h"

namespace {

using shoal::BlockCache;
using shoal::Code;
using shoal::ReadCounters;
using shoal::Status;
using shoal::StorageKind;
using shoal::VolumeCache;
using Reader = BlockCache::Reader;

constexpr size_t kBlock = shoal::VolumeFile::kBlock;

void Expect(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::_Exit(1);
}

// Every eight bytes tell where they lie, and in which version of the source.
class FakeSource final : public shoal::BlockSource {
 public:
  explicit FakeSource(uint64_t length, size_t block = kBlock, StorageKind storage = StorageKind::kNetwork)
      : length_(length), block_(block), storage_(storage) {}

  const std::string& path() const override { return path_; }
  uint64_t length() const override { return length_; }
  size_t block_length() const override { return block_; }
  StorageKind storage() const override { return storage_; }
  void Forget(uint64_t, uint64_t) const override {}

  Status Read(uint64_t offset, uint8_t* to, size_t size) const override {
    const uint64_t block = offset / block_;
    const bool whole = offset % block_ == 0 && (size == block_ || offset + size == length_);
    {
      std::lock_guard<std::mutex> lock(mutex);
      reads++;
      reads_of[block]++;
      readers_of[block].insert(std::this_thread::get_id());
      if (whole) places.insert(to);
      if (whole) Expect(++under_way[block] == 1, "a block is read by one thread at a time");
      asked.notify_all();
    }
    if (before) before(block);
    Fill(offset, to, size);
    std::lock_guard<std::mutex> lock(mutex);
    if (whole) under_way[block]--;
    if (fail_every != 0 && reads % fail_every == 0) {
      std::memset(to, 0xEE, size);
      return Status(Code::kIo, "injected");
    }
    return Status();
  }

  void Fill(uint64_t offset, uint8_t* to, size_t size) const {
    for (size_t done = 0; done < size;) {
      const uint64_t at = offset + done;
      const uint64_t word = (at / 8 + version) * 0x9E3779B97F4A7C15;
      const size_t part = std::min<size_t>(8 - at % 8, size - done);
      std::memcpy(to + done, reinterpret_cast<const uint8_t*>(&word) + at % 8, part);
      done += part;
    }
  }
  bool IsExact(uint64_t offset, const uint8_t* bytes, size_t size) const {
    std::vector<uint8_t> expected(size);
    Fill(offset, expected.data(), size);
    return std::memcmp(expected.data(), bytes, size) == 0;
  }
  uint64_t ReadsOf(uint64_t block) const {
    std::lock_guard<std::mutex> lock(mutex);
    return reads_of[block];
  }
  void AwaitReadOf(uint64_t block) const {
    std::unique_lock<std::mutex> lock(mutex);
    asked.wait(lock, [&] { return reads_of[block] > 0; });
  }

  uint64_t fail_every = 0;
  uint64_t version = 0;
  std::function<void(uint64_t block)> before;

  mutable std::mutex mutex;
  mutable std::condition_variable asked;
  mutable uint64_t reads = 0;
  mutable std::map<uint64_t, uint64_t> reads_of;
  mutable std::map<uint64_t, std::set<std::thread::id>> readers_of;
  mutable std::map<uint64_t, int> under_way;
  mutable std::set<const uint8_t*> places;  // that whole blocks were read to

 private:
  const std::string path_ = "fake";
  const uint64_t length_;
  const size_t block_;
  const StorageKind storage_;
};

void InThreads(unsigned count, const std::function<void(unsigned)>& work) {
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < count; i++) threads.emplace_back(work, i);
  for (std::thread& thread : threads) thread.join();
}

std::unique_ptr<VolumeCache> Started(uint64_t bytes) {
  auto cache = std::make_unique<VolumeCache>(bytes);
  bool usable = false;
  Expect(cache->Start(FakeSource(0), &usable).ok() && usable, "a cache of one block and more is usable");
  return cache;
}

// Random and sequential readers, more of them than blocks fit; some reads fail.
void Storm() {
  constexpr unsigned kThreads = 16;
  for (const size_t capacity : {1, 3, 8, 70}) {
    auto source = std::make_shared<FakeSource>(100 * kBlock - 1);
    source->fail_every = 23;
    const auto cache = Started(capacity * kBlock + kBlock / 2);
    ReadCounters counters;
    std::atomic<uint64_t> exact{0};
    std::atomic<uint64_t> failed{0};
    InThreads(kThreads, [&](unsigned thread) {
      std::mt19937_64 random(thread);
      std::vector<uint8_t> bytes(kBlock - 2);  // a whole block is read only into the cache
      uint64_t next = random() % source->length();
      for (int i = 0; i < 50; i++) {
        const bool sequential = thread % 4 == 0;
        const uint64_t offset = sequential ? next : random() % source->length();
        const size_t wanted = sequential ? kBlock / 4 : 1 + random() % (i % 20 == 0 ? bytes.size() : 40'000);
        const auto size = static_cast<size_t>(std::min<uint64_t>(wanted, source->length() - offset));
        next = (offset + size) % source->length();
        const Status status = cache->Read(source, offset, bytes.data(), size, counters);
        if (status.ok()) Expect(source->IsExact(offset, bytes.data(), size), "what a read gives is exact");
        if (!status.ok()) Expect(status.code() == Code::kIo, "a read fails as its source did");
        (status.ok() ? exact : failed)++;
      }
    });
    Expect(exact > 0 && failed > 0, "some reads succeed and some fail");
    std::lock_guard<std::mutex> lock(source->mutex);
    Expect(source->places.size() <= capacity, "blocks take no more memory than the ceiling");
  }
}

// Hundreds of readers of one block.
void Flight() {
  constexpr unsigned kReaders = 300;
  for (const bool failing : {false, true}) {
    auto source = std::make_shared<FakeSource>(4 * kBlock);
    source->fail_every = failing ? 1 : 0;
    const auto cache = Started(8 * kBlock);
    ReadCounters counters;
    std::atomic<unsigned> begun{0};
    source->before = [&](uint64_t) {
      while (begun < kReaders) std::this_thread::yield();
    };
    std::atomic<unsigned> failed{0};
    InThreads(kReaders, [&](unsigned reader) {
      uint8_t bytes[1000];
      begun++;
      const Status status = cache->Read(source, kBlock + reader, bytes, sizeof bytes, counters);
      if (status.ok()) Expect(source->IsExact(kBlock + reader, bytes, sizeof bytes), "every reader gets its bytes");
      if (!status.ok()) failed++;
    });
    if (!failing) Expect(source->ReadsOf(1) == 1 && failed == 0, "one read serves all");
    if (failing) Expect(failed == kReaders, "a failure is told to all who waited");
    source->fail_every = 0;
    uint8_t byte;
    Expect(cache->Read(source, kBlock, &byte, 1, counters).ok(), "a failure is not kept");
  }
}

// Every block in use: a reader is told, and what is asked of the cache as a whole is read all the same.
void Pinned() {
  FakeSource source(20 * kBlock);
  std::unique_ptr<BlockCache> cache;
  Expect(BlockCache::Create(4 * kBlock, kBlock, &cache).ok(), "a cache is made");
  std::vector<BlockCache::Pin> pins(4);
  for (uint64_t block = 0; block < 4; block++) {
    Expect(cache->Load(source, block, Reader::kRandom, &pins[block]).ok() && pins[block].valid(), "blocks are pinned");
  }
  for (const Reader reader : {Reader::kRandom, Reader::kStream, Reader::kReadahead}) {
    BlockCache::Pin none;
    Expect(cache->Load(source, 9, reader, &none).ok() && !none.valid(), "there is no memory where all is in use");
  }
  Expect(source.ReadsOf(9) == 0, "nothing is read without memory");
  for (uint64_t block = 0; block < 4; block++) {
    Expect(source.IsExact(block * kBlock, pins[block].data(), kBlock), "what is pinned stays");
  }
  pins[2] = BlockCache::Pin();
  BlockCache::Pin pin;
  Expect(cache->Load(source, 9, Reader::kRandom, &pin).ok() && pin.valid(), "what nobody uses is taken");
  Expect(source.places.size() == 4, "blocks take no more memory than the ceiling");
}

// A small read somewhere in a block.
void Touch(const VolumeCache& cache, const std::shared_ptr<FakeSource>& source, uint64_t block, std::mt19937_64& random,
           ReadCounters& counters) {
  uint8_t bytes[6000];
  const uint64_t offset = block * kBlock + random() % (kBlock - sizeof bytes);
  Expect(cache.Read(source, offset, bytes, sizeof bytes, counters).ok(), "a random read succeeds");
  Expect(source->IsExact(offset, bytes, sizeof bytes), "a random read is exact");
}

// Reads all of the source in pieces of 128 KiB, and calls `beside` after each block. Before a block but the first two
// is read it must be under way, or this never ends.
void ReadSequentially(const VolumeCache& cache, const std::shared_ptr<FakeSource>& source, ReadCounters& counters,
                      const std::function<void(uint64_t block)>& beside) {
  std::vector<uint8_t> piece(128 << 10);
  for (uint64_t at = 0; at < source->length();) {
    const auto size = static_cast<size_t>(std::min<uint64_t>(piece.size(), source->length() - at));
    Expect(cache.Read(source, at, piece.data(), size, counters).ok(), "a sequential read succeeds");
    Expect(source->IsExact(at, piece.data(), size), "a sequential read is exact");
    at += size;
    if (at % kBlock != 0) continue;
    if (at >= 2 * kBlock && at < source->length()) source->AwaitReadOf(at / kBlock);
    beside(at / kBlock);
  }
  const std::thread::id self = std::this_thread::get_id();
  std::lock_guard<std::mutex> lock(source->mutex);
  uint64_t waited_for = 0;
  for (const auto& [block, readers] : source->readers_of) waited_for += readers.count(self);
  Expect(waited_for <= 2, "all but the first blocks of a stream are read ahead of it");
  Expect(source->reads == (source->length() + kBlock - 1) / kBlock, "every block of a stream is read once");
}

// A reader of a source that is much larger than the cache, and one that comes back to the same blocks, but seldom.
void Scan() {
  constexpr uint64_t kHot = 30;
  auto hot = std::make_shared<FakeSource>(kHot * kBlock);
  const auto cache = Started(64 * kBlock);
  ReadCounters counters;
  std::mt19937_64 random(1);
  for (uint64_t block = 0; block < kHot; block++) Touch(*cache, hot, block, random, counters);
  auto streamed = std::make_shared<FakeSource>(300 * kBlock - 777);
  ReadSequentially(*cache, streamed, counters, [](uint64_t) {});
  for (uint64_t block = 0; block < kHot; block++) Touch(*cache, hot, block, random, counters);
  std::lock_guard<std::mutex> lock(hot->mutex);
  Expect(hot->reads == kHot, "a reader of everything wipes out nothing");
}

// Dozens of random reads for each block of a stream, most of which are not in the cache.
void Beside() {
  auto noise = std::make_shared<FakeSource>(5000 * kBlock);
  const auto cache = Started(64 * kBlock);
  ReadCounters counters;
  std::mt19937_64 random(2);
  auto streamed = std::make_shared<FakeSource>(30 * kBlock - 777);
  ReadSequentially(*cache, streamed, counters, [&](uint64_t) {
    for (int i = 0; i < 40; i++) Touch(*cache, noise, random() % 5000, random, counters);
  });
}

void Forget() {
  auto source = std::make_shared<FakeSource>(2 * kBlock);
  std::unique_ptr<BlockCache> cache;
  Expect(BlockCache::Create(4 * kBlock, kBlock, &cache).ok(), "a cache is made");
  BlockCache::Pin old;
  Expect(cache->Load(*source, 1, Reader::kRandom, &old).ok() && old.valid(), "a block is read");
  const std::vector<uint8_t> before(old.data(), old.data() + kBlock);
  source->version = 1;
  cache->Forget(*source, 1);
  cache->Forget(*source, 0);
  BlockCache::Pin none;
  Expect(cache->Find(*source, 1, &none).ok() && !none.valid(), "a forgotten block is not there");
  BlockCache::Pin fresh;
  Expect(cache->Load(*source, 1, Reader::kRandom, &fresh).ok() && fresh.valid(), "it is read anew");
  Expect(source->IsExact(kBlock, fresh.data(), kBlock), "it is what the source has now");
  Expect(std::memcmp(before.data(), old.data(), kBlock) == 0, "who had it pinned keeps it");
}

// Sources with blocks of two lengths, as of plain and compressed volumes: one ceiling holds for both.
void Lengths() {
  constexpr size_t kFrame = 128 << 10;
  auto frames = std::make_shared<FakeSource>(500 * kFrame - 5, kFrame, StorageKind::kLocal);
  auto blocks = std::make_shared<FakeSource>(60 * kBlock - 5);
  VolumeCache cache(8 * kBlock);
  bool usable = false;
  Expect(cache.Start(*blocks, &usable).ok() && usable, "there is room for blocks");
  Expect(cache.Start(*frames, &usable).ok() && usable, "there is room for frames");
  ReadCounters counters;
  std::mt19937_64 random(3);
  std::vector<uint8_t> bytes(300'000);
  for (int i = 0; i < 2000; i++) {
    const auto& source = i % 2 == 0 ? frames : blocks;
    const size_t size = 1 + random() % (i % 10 == 0 ? bytes.size() : 6000);
    const uint64_t offset = random() % (source->length() - size);
    Expect(cache.Read(source, offset, bytes.data(), size, counters).ok(), "a read succeeds");
    Expect(source->IsExact(offset, bytes.data(), size), "a read is exact");
  }
  Expect(frames->places.size() * kFrame + blocks->places.size() * kBlock <= 8 * kBlock, "the ceiling holds for both");
  Expect(frames->places.size() > 20 && blocks->places.size() > 2, "both have a share");

  VolumeCache small(kBlock);
  Expect(small.Start(*blocks, &usable).ok() && usable, "there is room for one block");
  Expect(small.Start(*frames, &usable).ok() && usable, "there is room for frames");
  Expect(small.Start(*blocks, &usable).ok() && !usable, "half of the memory has no room for a block");
  Expect(small.Read(blocks, 77, bytes.data(), 1000, counters).ok(), "it is read all the same");
  Expect(blocks->IsExact(77, bytes.data(), 1000), "it is exact");
}

}  // namespace

int main(int count, char** arguments) {
  const std::map<std::string, void (*)()> scenarios = {{"storm", Storm},    {"flight", Flight}, {"pinned", Pinned},
                                                       {"scan", Scan},      {"beside", Beside}, {"forget", Forget},
                                                       {"lengths", Lengths}};
  const auto scenario = scenarios.find(count == 2 ? arguments[1] : "");
  if (scenario == scenarios.end()) return 2;
  scenario->second();
  return 0;
}
