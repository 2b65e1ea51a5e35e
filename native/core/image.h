// An opened image: its index and its volumes, and exact, checked reads of entries' content.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "counter.h"
#include "index_view.h"
#include "status.h"
#include "storage.h"
#include "volume_cache.h"
#include "volume_file.h"

namespace shoal {

// How the content of an image is read.
struct ReadOptions {
  std::optional<StorageKind> storage;  // what volumes lie on; none: as their filesystem says
  bool verify = true;                  // content is held against its checksums
  // For volumes on network storage and compressed ones. nullptr: the former are read directly, the latter through a
  // cache of the image's own.
  std::shared_ptr<VolumeCache> cache;
};

class Image {
 public:
  // Opens index and volumes and checks each volume's identity (FORMAT §4.11).
  static Status Open(const std::string& index_path, std::unique_ptr<Image>* out) {
    return Open(index_path, ReadOptions(), out);
  }
  static Status Open(const std::string& index_path, ReadOptions options, std::unique_ptr<Image>* out);

  const IndexView& index() const { return *index_; }
  const ReadCounters& counters() const { return *counters_; }

  // Reads content of the file `entry` (resolved, no alias) at `offset`: up to `size` bytes, fewer only at its end;
  // holes are zeros. Every byte was held against the entry's checksum where its volume has checksums (and ReadOptions
  // do not say otherwise): a read that is no whole chunk reads the chunks around it. On a mismatch it reads once more
  // from storage, then fails with kChecksum (path: volume; offset: of the chunk; the message names the entry).
  // Thread-safe. Does not allocate where offset and size cover whole chunks (or the whole small file) of a file with
  // one extent.
  Status Read(const Entry& entry, uint64_t offset, void* to, size_t size, size_t* got) const;

  // Where `size` bytes of content at `offset` lie as they are, if nothing is to be checked on the way: in one piece, on
  // local storage. *size is fewer at the end of the file. False: they are to be read. Counts
  // as a read of the volume.
  bool Locate(const Entry& entry, uint64_t offset, size_t size, int* file, uint64_t* place, size_t* length) const;

  // Whether a volume lies on network storage.
  bool IsOnNetwork() const;

  // Whether Locate may ever find something.
  bool GivesUnchecked() const;

  // Plain bytes of a volume (FORMAT §1), which nothing was held against, for callers that do that themselves. Whoever
  // reads all of a compressed volume, with several threads or parts of it twice within some tens of MiB, has each frame
  // decompressed once. kUnsupported for a codec that is not known.
  Status ReadVolume(size_t row, uint64_t offset, uint8_t* to, size_t size) const {
    return ReadVolume(row, offset, to, size, From::kAnywhere);
  }

  size_t volume_count() const { return volumes_.size(); }
  const VolumeInfo& volume_info(size_t row) const { return volumes_[row].file->info(); }
  const std::string& volume_path(size_t row) const { return volumes_[row].file->path(); }
  const VolumeFile& volume_file(size_t row) const { return *volumes_[row].file; }  // as it lies

 private:
  struct Volume {
    std::shared_ptr<const VolumeFile> file;
    std::shared_ptr<const BlockSource> plain;  // its plain bytes; nullptr: of a codec that is not known
    const VolumeCache* cache = nullptr;        // nullptr: the kernel's page cache serves better, or there is to be none
  };
  bool GivesUnchecked(const Volume& volume) const;
  enum class From { kAnywhere, kStorage };
  // The stored bytes of an entry: its extents back to back (FORMAT §1).
  struct Stored {
    const Extent* extents;
    size_t count;
    uint64_t length;
  };
  explicit Image(ReadOptions options) : options_(std::move(options)) {}
  std::shared_ptr<const BlockSource> PlainBytes(const std::shared_ptr<const VolumeFile>& file) const;
  Status OpenVolume(const VolumeInfo& info);
  Status ReadPlain(const Entry& entry, uint64_t offset, uint8_t* to, size_t size) const;
  Status ReadSparse(const Entry& entry, uint64_t offset, uint8_t* to, size_t size) const;
  Status ReadStored(const Entry& entry, const Stored& stored, uint64_t begin, uint8_t* to, size_t size) const;
  Status CheckChunk(const Entry& entry, const Stored& stored, uint64_t begin, uint8_t* data, size_t size) const;
  Status ReadUnchecked(const Stored& stored, uint64_t begin, uint8_t* to, size_t size,
                       From from = From::kAnywhere) const;
  Status ReadVolume(size_t row, uint64_t offset, uint8_t* to, size_t size, From from) const;
  Status IsChecked(const Stored& stored, bool* out) const;
  void ForgetCached(const Stored& stored, uint64_t begin, size_t size) const;

  const ReadOptions options_;
  // Shared with reads in the background, which may outlive the image.
  const std::shared_ptr<ReadCounters> counters_ = std::make_shared<ReadCounters>();
  std::shared_ptr<const IndexView> index_;  // likewise: it says where frames lie
  std::shared_ptr<VolumeCache> own_cache_;
  std::vector<Volume> volumes_;
};

}  // namespace shoal
