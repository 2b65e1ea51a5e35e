// Makes what a run has written durable from time to time, and says so in a journal, for a run that goes on with it.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "pack/journal.h"
#include "pack/pack_catalogue.h"

namespace shoal {

struct CheckpointOptions {
  std::string plan;  // files in the run's directory; the journal is made at the first checkpoint
  std::string journal;
  std::string request;  // stored with the plan
  double seconds = 10;  // between two checkpoints
  bool resume = false;  // both may be there already
};

class Checkpoints {
 public:
  // `volumes` are the paths of the plan's volumes.
  Checkpoints(const PackCatalogue& catalogue, const std::vector<std::string>& volumes, CheckpointOptions options)
      : catalogue_(catalogue), volumes_(volumes), options_(std::move(options)) {}
  ~Checkpoints() { Stop(); }
  Checkpoints(const Checkpoints&) = delete;
  Checkpoints& operator=(const Checkpoints&) = delete;

  // Saves the plan, or reads what an earlier run has written.
  Status Open(Journal* written);

  // Begins. `kept` is what holds of what was read. `failed` is called from another thread if what was written cannot be
  // made durable: the run must not go on then, because nobody is told of it again.
  Status Start(const Journal& kept, std::function<void(Status)> failed);

  // The step's bytes are written. From any thread.
  void Add(WrittenStep step);

  // Ends the thread, without a last checkpoint.
  void Stop();

 private:
  void Run();
  Journal TakeDurable(std::vector<WrittenStep>* steps);
  Status SyncVolumes(const Journal& durable) const;
  Status Append(const Journal& durable);

  const PackCatalogue& catalogue_;
  const std::vector<std::string>& volumes_;
  const CheckpointOptions options_;
  std::function<void(Status)> failed_;
  bool has_plan_ = false;
  uint64_t length_ = 0;                  // of the journal
  size_t records_ = 0;                   // steps and frames in it
  std::map<uint16_t, uint64_t> frames_;  // in it, by volume

  std::mutex mutex_;
  std::condition_variable ended_;
  bool stop_ = false;
  std::vector<WrittenStep> steps_;
  std::thread thread_;
};

}  // namespace shoal
