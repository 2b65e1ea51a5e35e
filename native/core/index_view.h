// An opened index: answers questions about names and metadata from mapped bytes, checking each block when it is first
// touched and each offset before it is used. All methods are thread-safe and neither allocate nor lock on
// success, unless they fill a string or vector. Storage that fails, or a file cut short, is kIo or kTruncated; views
// given out before may then hold zeros until it is back.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bytes.h"
#include "format.h"
#include "status.h"
#include "storage.h"

namespace shoal {

class IndexMap;
class IndexReader;

// One entry, decoded. For an alias, Resolve() gives the entry that it names.
struct Entry {
  uint32_t number = 0;
  bool alias = false;
  uint32_t target = 0;  // alias: the entry it names

  uint32_t mode = 0;  // st_mode; 0 for an alias
  uint32_t uid = 0;
  uint32_t gid = 0;
  uint32_t nlink = 0;
  uint32_t xattrs = format::kNoXattrs;
  int64_t seconds = 0;
  uint32_t nanoseconds = 0;

  uint64_t size = 0;           // file: length of its content; symbolic link: of its target; else 0
  uint32_t checksum = 0;       // file: see FORMAT §4.2 word 1
  uint64_t offset = 0;         // file: in its volume, or of its extent list; symbolic link: in linkTargets
  uint32_t volume = 0;         // file: row in volumes, or kExtentListVolume
  uint32_t parent = 0;         // directory
  uint32_t first_child = 0;    // directory
  uint32_t child_count = 0;    // directory
  uint32_t directory_row = 0;  // directory
  uint32_t device_major = 0;   // device
  uint32_t device_minor = 0;   // device

  bool IsDirectory() const { return (mode & 0170000) == 0040000; }
  bool IsFile() const { return (mode & 0170000) == 0100000; }
  bool IsSymlink() const { return (mode & 0170000) == 0120000; }
};

struct Extent {
  uint64_t file_offset = 0;  // in the entry's content
  uint64_t length = 0;
  uint64_t offset = 0;  // in the volume
  uint32_t volume = 0;
};

struct VolumeInfo {
  uint64_t length = 0;  // of its file
  uint32_t codec = 0;
  uint32_t flags = 0;
  uint32_t head_checksum = 0;
  uint32_t tail_checksum = 0;
  std::string name;
  uint64_t plain_length = 0;  // of its plain bytes (FORMAT §1); that of the file where it is not compressed
  uint64_t frame_length = 0;  // of these, in a frame (FORMAT §4.14); 0 where it is not compressed
  uint64_t first_frame = 0;   // row of its frames in the section
};

// Of a frame in the file of its volume.
struct FramePlace {
  uint64_t offset = 0;
  size_t size = 0;
};

struct Totals {
  uint64_t bytes = 0;
  uint64_t entries = 0;
};

struct Xattr {
  std::string_view name;
  std::string_view value;
};

class IndexView {
 public:
  static constexpr uint32_t kNone = 0xFFFFFFFF;  // from Lookup: no such name

  // Opens and checks header, section directory, block table and the root entry, in the order of FORMAT §3. `storage` is
  // what the file lies on; by default what the type of its filesystem says.
  static Status Open(const std::string& path, std::unique_ptr<IndexView>* out,
                     std::optional<StorageKind> storage = std::nullopt);
  ~IndexView();
  IndexView(const IndexView&) = delete;
  IndexView& operator=(const IndexView&) = delete;

  const std::string& path() const;
  const uint8_t* id() const;                             // kIdLength bytes
  uint32_t entry_count() const { return entry_count_; }  // at least 1
  bool has_xattrs() const;
  // Whether an entry has a POSIX ACL; where there are very many sets of attributes, true without looking at all.
  Status MayHaveAcls(bool* out) const;
  // Holds every block against its checksum, touched before or not; the first that differs is the status.
  Status CheckBlocks() const;

  Status Get(uint32_t number, Entry* out) const;      // number ≥ entry_count() is kMalformed
  Status Resolve(uint32_t number, Entry* out) const;  // Get, then once through an alias; the result is no alias
  Status Name(uint32_t number, std::string_view* out) const;

  // How often storage did not give a page of any index so far. The views that Name, LinkTarget and Xattrs give lie in
  // the map: who copies from them compares this before the question and after the copy, and asks again if it grew.
  static uint64_t faults();

  // Of an index on network storage: bytes that this process brought into the copy in memory of the node so far.
  uint64_t copied_bytes() const;

  Status Parent(uint32_t number, uint32_t* out) const;
  Status Path(uint32_t number, std::string* out) const;  // "a/b/c"; empty for the root
  // *out is the entry called `name` in `directory` (an alias as itself), or kNone.
  Status Lookup(const Entry& directory, std::string_view name, uint32_t* out) const;
  // Whether `name` is that of entry `number`.
  Status HasName(uint32_t number, std::string_view name, bool* out) const;
  Status LinkTarget(const Entry& link, std::string_view* out) const;
  // The extents of a file; one for a plain file, none for an empty one.
  Status Extents(const Entry& file, std::vector<Extent>* out) const;
  Status ChunkChecksum(uint64_t row, uint32_t* out) const;
  Status PieceChecksum(uint64_t row, uint32_t* out) const;
  Status DirectoryTotals(const Entry& directory, Totals* out) const;
  Status Xattrs(uint32_t set, std::vector<Xattr>* out) const;
  Status Volumes(std::vector<VolumeInfo>* out) const;
  // Where a frame of a compressed volume lies: within its file, and no longer than a frame may be.
  Status Frame(const VolumeInfo& volume, uint64_t frame, FramePlace* out) const;

 private:
  IndexView();
  template <typename Question>
  Status Ask(Question question) const;
  Status AskAgain(const std::function<Status()>& question) const;

  std::unique_ptr<IndexMap> map_;
  std::unique_ptr<IndexReader> reader_;
  uint32_t entry_count_ = 0;
};

}  // namespace shoal
