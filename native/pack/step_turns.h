// Which thread of a writer does what: a few write a step each, all others help these to read the files of theirs.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <vector>

#include "core/growing_threads.h"
#include "core/status.h"
#include "pack/file_reader.h"

namespace shoal {

// A step takes memory, and a thread that helps takes next to none: so storage is asked for as many files at once as
// there are threads, and memory stays as the number of steps is. Each method is called by any thread.
class StepTurns {
 public:
  // Reads the file of this number among those of a step, with the reader of the thread that it is called on.
  using ReadFile = std::function<Status(size_t number, FileReader* reader)>;

  // At most `most` of the `count` steps are under way at once. `stopped` says that no more are to be begun.
  StepTurns(size_t count, unsigned most, GrowingThreads* threads, std::function<bool()> stopped)
      : count_(count), most_(most), threads_(*threads), stopped_(std::move(stopped)) {}

  // Helps others until the next step may begin, in their order: it is the caller's then, until End. False when all have
  // ended, or shall.
  bool Take(unsigned worker, FileReader* reader, size_t* step);
  void End();

  // Within a step: calls `read` for each of `count` files, several at once, and returns when all are read. The first
  // failure, after which no further one is begun.
  Status ReadAll(unsigned worker, FileReader* reader, size_t count, const ReadFile& read);

 private:
  struct Batch {
    Batch(size_t all, const ReadFile& how) : count(all), read(how) {}

    const size_t count;
    const ReadFile& read;
    std::atomic<size_t> next{0};
    unsigned helpers = 0;  // under mutex_, as is:
    Status failure;
  };

  Batch* Open();
  void Read(unsigned worker, FileReader* reader, Batch* batch);

  const size_t count_;
  const unsigned most_;
  GrowingThreads& threads_;
  const std::function<bool()> stopped_;

  std::mutex mutex_;  // for all below
  std::condition_variable more_;
  std::condition_variable helped_;
  size_t next_ = 0;
  unsigned under_way_ = 0;
  unsigned waiting_ = 0;         // threads without a step, for more_
  std::vector<Batch*> batches_;  // of steps that are under way
};

}  // namespace shoal
