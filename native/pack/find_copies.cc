#include "pack/find_copies.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <memory>
#include <tuple>
#include <vector>

#include "core/growing_threads.h"
#include "pack/content_hash.h"
#include "pack/file_reader.h"
#include "pack/member_builder.h"

namespace shoal {
namespace {

constexpr size_t kBatch = 1 << 18;  // files whose hashes are held at once, or those of one size
constexpr size_t kPiece = 1 << 18;
static_assert(kPiece % ContentHash::kBlock == 0, "pieces but the last are whole blocks");

struct Hashed {
  uint64_t low, high;
  uint32_t entry;
  bool readable;
};

struct Pair {
  uint32_t original, copy;
};

class CopyFinder {
 public:
  CopyFinder(PackCatalogue* catalogue, unsigned jobs, Progress* progress)
      : catalogue_(*catalogue), jobs_(jobs), progress_(*progress) {}

  Status Run() {
    catalogue_.originals.assign(catalogue_.size(), Catalogue::kNone);
    ListCandidates();
    for (size_t first = 0; first < candidates_.size();) {
      const size_t end = EndOfBatch(first);
      SHOAL_RETURN_IF_ERROR(CompareBatch(first, end));
      first = end;
    }
    return Status();
  }

 private:
  // Of files sorted by size and entry those whose size another one has, too.
  void ListCandidates() {
    std::vector<uint32_t> files;
    for (uint32_t entry = 0; entry < catalogue_.size(); entry++) {
      const bool is_plain = catalogue_.IsFile(entry) && catalogue_.sizes[entry] > 0;
      if (is_plain && FindExtents(catalogue_, entry) == nullptr) files.push_back(entry);
    }
    std::sort(files.begin(), files.end(),
              [this](uint32_t a, uint32_t b) { return std::make_tuple(SizeOf(a), a) < std::make_tuple(SizeOf(b), b); });
    for (size_t i = 0; i < files.size(); i++) {
      const bool as_before = i > 0 && SizeOf(files[i - 1]) == SizeOf(files[i]);
      const bool as_next = i + 1 < files.size() && SizeOf(files[i + 1]) == SizeOf(files[i]);
      if (!as_before && !as_next) continue;
      candidates_.push_back(files[i]);
      progress_.bytes_total += SizeOf(files[i]);
    }
    progress_.entries_total = candidates_.size();
  }

  size_t EndOfBatch(size_t first) const {
    size_t end = std::min(candidates_.size(), first + kBatch);
    while (end < candidates_.size() && SizeOf(candidates_[end]) == SizeOf(candidates_[end - 1])) end++;
    return end;
  }

  Status CompareBatch(size_t first, size_t end) {
    std::vector<Hashed> hashed(end - first);
    SHOAL_RETURN_IF_ERROR(ForEach(hashed.size(), [&](FileReader* reader, char* buffer, size_t i) {
      hashed[i] = Hash(candidates_[first + i], reader, buffer);
      progress_.entries_done.fetch_add(1, std::memory_order_relaxed);
    }));
    std::sort(hashed.begin(), hashed.end(), [this](const Hashed& a, const Hashed& b) { return Key(a) < Key(b); });

    std::vector<Pair> pairs;
    size_t original = 0;
    for (size_t i = 1; i < hashed.size(); i++) {
      const bool same = SizeOf(hashed[i].entry) == SizeOf(hashed[original].entry) &&
                        hashed[i].low == hashed[original].low && hashed[i].high == hashed[original].high;
      if (!same || !hashed[original].readable) {
        original = i;
      } else if (hashed[i].readable) {
        pairs.push_back({hashed[original].entry, hashed[i].entry});
      }
    }
    return ForEach(pairs.size(), [&](FileReader* reader, char* buffer, size_t i) {
      if (AreEqual(pairs[i], reader, buffer)) catalogue_.originals[pairs[i].copy] = pairs[i].original;
    });
  }

  std::tuple<uint64_t, bool, uint64_t, uint64_t, uint32_t> Key(const Hashed& file) const {
    return {SizeOf(file.entry), !file.readable, file.low, file.high, file.entry};
  }

  // Calls work(reader, buffer, 0) … work(reader, buffer, count − 1) on all threads.
  template <typename Work>
  Status ForEach(size_t count, const Work& work) {
    if (count == 0) return Status();
    std::atomic<size_t> next{0};
    const auto most = static_cast<unsigned>(std::min<size_t>(GrowingThreads::kMost, count));
    GrowingThreads threads(static_cast<unsigned>(std::min<size_t>(jobs_, count)), most, catalogue_.threads);
    SHOAL_RETURN_IF_ERROR(threads.Run([&](unsigned worker) {
      FileReader reader(&catalogue_, threads.DirectoryCapacity(worker));
      // Not filled with zeros: of small files many threads use little of it.
      const std::unique_ptr<char[]> buffer(new char[2 * kPiece]);
      for (size_t i; !Cancelled() && (i = next.fetch_add(1)) < count;) {
        work(&reader, buffer.get(), i);
        threads.Count(worker);
      }
    }));
    return Cancelled() ? Status(Code::kCancelled, "cancelled while equal files were looked for") : Status();
  }

  Hashed Hash(uint32_t entry, FileReader* reader, char* buffer) {
    Hashed hashed{0, 0, entry, false};
    ContentHash hash;
    UniqueFd fd;
    if (!reader->Open(entry, &fd).ok()) return hashed;
    const uint64_t size = SizeOf(entry);
    for (uint64_t at = 0; at < size && !Cancelled();) {
      const auto piece = static_cast<size_t>(std::min<uint64_t>(kPiece, size - at));
      if (!reader->ReadStored(entry, fd.get(), at, buffer, piece).ok()) return hashed;
      hash.Add(buffer, piece);
      progress_.bytes_done.fetch_add(piece, std::memory_order_relaxed);
      at += piece;
    }
    std::tie(hashed.low, hashed.high) = hash.Finish();
    hashed.readable = reader->Check(entry, fd.get()).ok();
    return hashed;
  }

  // As long as neither is changed afterwards, which writing notices.
  bool AreEqual(const Pair& pair, FileReader* reader, char* buffer) const {
    UniqueFd original, copy;
    if (!reader->Open(pair.original, &original).ok() || !reader->Open(pair.copy, &copy).ok()) return false;
    const uint64_t size = SizeOf(pair.original);
    char* const expected = buffer;
    char* const found = expected + kPiece;
    for (uint64_t at = 0; at < size && !Cancelled();) {
      const auto piece = static_cast<size_t>(std::min<uint64_t>(kPiece, size - at));
      if (!reader->ReadStored(pair.original, original.get(), at, expected, piece).ok() ||
          !reader->ReadStored(pair.copy, copy.get(), at, found, piece).ok() ||
          std::memcmp(expected, found, piece) != 0) {
        return false;
      }
      at += piece;
    }
    return reader->Check(pair.original, original.get()).ok() && reader->Check(pair.copy, copy.get()).ok();
  }

  uint64_t SizeOf(uint32_t entry) const { return catalogue_.sizes[entry]; }
  bool Cancelled() const { return progress_.cancel.load(std::memory_order_relaxed) != 0; }

  PackCatalogue& catalogue_;
  const unsigned jobs_;
  Progress& progress_;
  std::vector<uint32_t> candidates_;
};

}  // namespace

Status FindCopies(PackCatalogue* catalogue, unsigned jobs, Progress* progress) {
  return CopyFinder(catalogue, jobs, progress).Run();
}

}  // namespace shoal
