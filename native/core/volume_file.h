// A volume's file: that it is the one that the index describes, and exact reads of it from storage that fails now and
// then.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "block_source.h"
#include "counter.h"
#include "file.h"
#include "index_view.h"
#include "storage.h"

namespace shoal {

class VolumeFile final : public BlockSource {
 public:
  // The longest READ of the kernel, a stripe of Lustre and the usual rsize of NFS: one round trip for each. A random
  // reader of small files wastes what it does not want of a block, so not more.
  static constexpr size_t kBlock = 1 << 20;

  // Opens the volume that the index at `index_path` describes as `info`, and checks that it is the one (FORMAT §4.11).
  // `storage`: what it lies on, where that is known better than its filesystem tells.
  static Status Open(const std::string& index_path, const VolumeInfo& info, std::optional<StorageKind> storage,
                     std::shared_ptr<ReadCounters> counters, std::shared_ptr<const VolumeFile>* out);

  const VolumeInfo& info() const { return info_; }
  const std::string& path() const override { return path_; }
  int fd() const { return fd_.get(); }
  StorageKind storage() const override { return storage_; }
  uint64_t length() const override { return info_.length; }
  size_t block_length() const override { return kBlock; }

  // By pread(2), never from a map: a page that storage cannot give would be a signal, not an error. What may pass is
  // waited for and tried again (see read_retry.h); each try is counted. Does not allocate unless it fails.
  Status Read(uint64_t offset, uint8_t* to, size_t size) const override;

  // Drops these bytes from the page cache.
  void Forget(uint64_t offset, uint64_t size) const override;

 private:
  VolumeFile() = default;
  static Status OpenChecked(const std::string& index_path, const VolumeInfo& info, const std::string& path,
                            UniqueFd* out);
  Status Recover(uint64_t at, int error, unsigned failures) const;
  Status Failure(uint64_t at, int error, bool cut) const;
  bool IsCutAt(uint64_t at) const;
  void Reopen() const;

  std::string index_path_;
  VolumeInfo info_;
  std::string path_;
  UniqueFd fd_;
  StorageKind storage_ = StorageKind::kLocal;
  std::shared_ptr<ReadCounters> counters_;
};

}  // namespace shoal
