// An opened image: its index and its volumes, and exact, checked reads of entries' content.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "counter.h"
#include "file.h"
#include "index_view.h"
#include "status.h"
#include "storage.h"

namespace shoal {

class Image {
 public:
  // Opens index and volumes and checks each volume's identity (FORMAT §4.11). `storage` is what the index lies
  // on; by default what the type of its filesystem says.
  static Status Open(const std::string& index_path, std::unique_ptr<Image>* out,
                     std::optional<StorageKind> storage = std::nullopt);

  const IndexView& index() const { return *index_; }
  const ReadCounters& counters() const { return counters_; }

  // Reads content of the file `entry` (resolved, no alias) at `offset`: up to `size` bytes, fewer only at its end;
  // holes are zeros. Every byte was held against the entry's checksum where its volume has checksums: a read that is no
  // whole chunk reads the chunks around it. On a mismatch it reads once more from storage, then fails with kChecksum
  // (path: volume; offset: of the chunk; the message names the entry). Thread-safe. Does not allocate where offset and
  // size cover whole chunks (or the whole small file) of a file with one extent.
  Status Read(const Entry& entry, uint64_t offset, void* to, size_t size, size_t* got) const;

  // Descriptor and info of a volume, for callers that read stored bytes themselves.
  size_t volume_count() const { return volumes_.size(); }
  const VolumeInfo& volume_info(size_t row) const { return volumes_[row].info; }
  const std::string& volume_path(size_t row) const { return volumes_[row].path; }
  int volume_fd(size_t row) const { return volumes_[row].fd.get(); }

 private:
  struct Volume {
    VolumeInfo info;
    std::string path;
    UniqueFd fd;
  };
  // The stored bytes of an entry: its extents back to back (FORMAT §1).
  struct Stored {
    const Extent* extents;
    size_t count;
    uint64_t length;
  };
  Image() = default;
  static Status OpenVolume(const std::string& index_path, const VolumeInfo& info, const std::string& path,
                           UniqueFd* out);
  Status ReadPlain(const Entry& entry, uint64_t offset, uint8_t* to, size_t size) const;
  Status ReadSparse(const Entry& entry, uint64_t offset, uint8_t* to, size_t size) const;
  Status ReadStored(const Entry& entry, const Stored& stored, uint64_t begin, uint8_t* to, size_t size) const;
  Status CheckChunk(const Entry& entry, const Stored& stored, uint64_t begin, uint8_t* data, size_t size) const;
  Status ReadUnchecked(const Stored& stored, uint64_t begin, uint8_t* to, size_t size) const;
  Status ReadVolume(uint32_t row, uint64_t offset, uint8_t* to, size_t size) const;
  Status HasChecksums(const Stored& stored, bool* out) const;
  void ForgetCached(const Stored& stored, uint64_t begin, size_t size) const;
  void Reopen(uint32_t row) const;

  std::unique_ptr<IndexView> index_;
  std::vector<Volume> volumes_;
  mutable ReadCounters counters_;
};

}  // namespace shoal
