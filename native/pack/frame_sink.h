// A volume that is compressed as it is written: its plain bytes come in any order, its frames lie in the file in
// theirs.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "core/file.h"
#include "pack/frame_encoder.h"
#include "pack/volume_sink.h"

namespace shoal {

class FrameSink : public VolumeSink {
 public:
  // Makes the file, which must not be there, for a volume of `plain_length` bytes. `stopped` is asked by threads that
  // wait for others: they go on then, and the volume is of no use.
  static Status Create(const std::string& path, uint64_t plain_length, int level, std::function<bool()> stopped,
                       std::unique_ptr<VolumeSink>* out);

  // Goes on with a file that Create made: frames up to the last of `offsets`, where that ends, are in it, and at least
  // one is. What follows is removed. Bytes of these frames that are written again must be the same, and cost nothing.
  static Status Resume(const std::string& path, uint64_t plain_length, int level, std::function<bool()> stopped,
                       std::vector<uint64_t> offsets, std::unique_ptr<VolumeSink>* out);

  // Each byte once, but those of the head, which lie within the first frame and may be written again. Waits where the
  // bytes are far ahead of the first frame that is not complete, so that memory is bounded: threads must take what they
  // write in the order of offsets, and write that in order.
  Status Write(uint64_t offset, const char* data, size_t size) override;

  uint64_t Written(uint64_t first, std::vector<uint64_t>* offsets) override;

  // Closes the file until the next Write, and frees what threads compress with.
  void Rest() override;

  // When every byte was written: appends the seek table and syncs the file.
  Status Sync() override;

  const SeekTable* frames() const override { return &frames_; }

 private:
  // A frame of which some bytes are missing.
  struct Part {
    std::vector<char> bytes;
    size_t filled = 0;
  };
  struct Run;

  FrameSink(std::string path, uint64_t plain_length, int level, std::function<bool()> stopped);
  size_t LengthOf(uint64_t frame) const;
  bool AwaitTurn(uint64_t frame);
  Status WriteHead(uint64_t offset, const char* data, size_t size);
  Status AddPart(uint64_t frame, size_t offset, const char* data, size_t size, size_t added);
  Status Encode(uint64_t frame, const char* plain, size_t size);
  Status TakeEncoder(std::unique_ptr<FrameEncoder>* encoder);
  void GiveBack(std::unique_ptr<FrameEncoder> encoder);
  Status WriteReady(uint64_t frame, Bytes encoded);
  Status Open();

  const std::string path_;
  const int level_;
  const std::function<bool()> stopped_;
  uint64_t begin_ = 0;  // bytes before it were in the file when this sink was made

  std::mutex mutex_;  // for all below
  std::condition_variable placed_;
  UniqueFd fd_;
  std::vector<std::unique_ptr<FrameEncoder>> encoders_;  // that no thread uses
  std::map<uint64_t, Part> parts_;
  std::map<uint64_t, std::string> waiting_;  // encoded frames behind one that is not yet
  std::set<uint64_t> writing_;               // the first frame of each run that has a place and is not written yet
  SeekTable frames_;                         // with the offsets of frames whose place is known, and of the next one
  bool has_head_ = false;
};

}  // namespace shoal
