// Reads the content of many files in the order in which it lies in the volumes, with several threads, neighbouring
// small files in one read, and holds every byte against its checksum before anybody else sees it.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "core/growing_threads.h"
#include "core/image.h"
#include "core/progress.h"
#include "unpack/piece_check.h"

namespace shoal {

struct ContentFile {
  Entry entry;
  std::vector<Extent> extents;
  std::vector<uint64_t> starts;  // where each extent begins in the stored bytes
  uint64_t stored = 0;           // sum of the extents' lengths

  bool HasHoles() const { return stored != entry.size; }
};

// Takes the content of one large file.
class LargeFileSink {
 public:
  virtual ~LargeFileSink() = default;  // without Finish before: the reading ended early
  // Checked bytes at `offset` of the content. From any thread, in any order.
  virtual void Take(uint64_t offset, const uint8_t* data, size_t size) = 0;
  // After the last Take. Where `damage` is not ok, bytes are missing.
  virtual void Finish(const Status& damage) = 0;
};

// Takes the content of files; called from all threads. `worker` tells them apart: one worker makes one call at a time.
class ContentSink {
 public:
  virtual ~ContentSink() = default;
  // The stored bytes of a small file, back to back in the order of its extents; absent where `damage` is not ok.
  virtual void Small(unsigned worker, const ContentFile& file, const Status& damage, const uint8_t* stored) = 0;
  // Before the first byte of a large file, which outlives the sink.
  virtual std::unique_ptr<LargeFileSink> Large(unsigned worker, const ContentFile& file) = 0;
};

class ContentReader {
 public:
  // Files with more stored bytes are large: handed on in parts.
  static constexpr uint64_t kSmallLimit = 1 << 20;
  // Threads at most, where their number is not given: each has a buffer of kSmallLimit.
  static constexpr unsigned kMostThreads = 32;

  // Advances progress->bytes_done by the content's length (holes included).
  // With `pieces` the volumes' pieces are checked, too, each right after the content that lies in it, so that storage
  // is read once.
  ContentReader(const Image& image, Progress* progress, PieceCheck* pieces = nullptr)
      : image_(image), progress_(progress), pieces_(pieces) {}

  // Reads `files` (numbers of regular files, no aliases; in any order). Damage of one file is the sink's to list; what
  // is returned is damage of the index, the cause given to Stop, or kCancelled.
  Status Run(std::vector<uint32_t> files, GrowingThreads* threads, ContentSink* sink);

  // Ends Run soon with this status, unless another one was first.
  void Stop(Status status);
  bool stopped() const { return stopped_.load(std::memory_order_relaxed); }

 private:
  struct LargeFile;
  struct Batch;
  class Worker;

  void SortByPlace(std::vector<uint32_t>* files) const;
  bool Next(Batch* batch);
  bool NextContent(Batch* batch);
  void Reach(const Batch& batch);
  Status Decode(uint32_t number, ContentFile* out) const;
  bool Ended();

  const Image& image_;
  Progress* const progress_;
  PieceCheck* const pieces_;

  std::atomic<bool> stopped_{false};
  std::mutex mutex_;  // for all below
  Status status_;
  std::vector<uint32_t> files_;
  size_t next_file_ = 0;
  std::shared_ptr<LargeFile> large_;  // whose parts are being handed out
  uint64_t next_stored_ = 0;          // of large_
  uint32_t reached_volume_ = 0;       // where the content ends that was handed out last
  uint64_t reached_ = 0;
};

}  // namespace shoal
