// The volumes of a plan while they are written: each is open from its first byte to its last step, so that a few are
// at once, however many there are.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "pack/journal.h"
#include "pack/pack_catalogue.h"

namespace shoal {

class VolumeSet {
 public:
  // `paths` has one for each volume. `level` is that of zstd; 0: they are plain files. `stopped` says that what is
  // written is of no use any more. `resume`: files that a run which was stopped has made are gone on with.
  VolumeSet(PackCatalogue* catalogue, const std::vector<std::string>& paths, int level, std::function<bool()> stopped,
            bool resume = false);

  // Which frames that run has written: before anything else.
  void TakeFrames(WrittenFrames frames) { frames_ = std::move(frames); }
  // Whether such a file is there for the volume, as long as it must be.
  bool IsMade(size_t volume) const;
  // Up to where the volume's bytes are in such a file, as far as that is known.
  uint64_t MadeLength(size_t volume) const;

  // Makes the volume, with a head without an id, where it is not there yet. From any thread.
  // Appends to *runs, where one is given, what PieceSums says of the bytes.
  Status Write(size_t volume, uint64_t offset, const char* data, size_t size,
               std::vector<PieceSums::Run>* runs = nullptr);
  // From any thread; true for the last step of the volume.
  bool EndStep(size_t volume) { return --volumes_[volume].steps_left == 0; }
  void Close(size_t volume) { catalogue_.sinks[volume]->Rest(); }

  const std::string& path(size_t volume) const { return paths_[volume]; }

 private:
  struct Volume {
    std::mutex mutex;
    std::atomic<size_t> steps_left{0};
  };

  Status Make(size_t volume);

  PackCatalogue& catalogue_;
  const std::vector<std::string>& paths_;
  const int level_;
  const std::function<bool()> stopped_;
  const bool resume_;
  WrittenFrames frames_;
  std::deque<Volume> volumes_;
};

// Says where space ran out how much would have been needed.
Status ExplainNoSpace(Status status, const std::string& path, const Plan& plan);

}  // namespace shoal
