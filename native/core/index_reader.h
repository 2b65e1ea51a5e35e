// Decodes an index: every question that IndexView answers, on the mapped bytes as they are at the moment.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "index_map.h"
#include "index_view.h"

namespace shoal {

class IndexReader {
 public:
  explicit IndexReader(const IndexMap* map);

  uint32_t entry_count() const { return entry_count_; }

  // As the methods of IndexView.
  Status Get(uint32_t number, Entry* out) const;
  Status Resolve(uint32_t number, Entry* out) const;
  Status Name(uint32_t number, std::string_view* out) const;
  Status Parent(uint32_t number, uint32_t* out) const;
  Status Path(uint32_t number, std::string* out) const;
  Status Lookup(const Entry& directory, std::string_view name, uint32_t* out) const;
  Status HasName(uint32_t number, std::string_view name, bool* out) const;
  Status LinkTarget(const Entry& link, std::string_view* out) const;
  Status Extents(const Entry& file, std::vector<Extent>* out) const;
  Status ChunkChecksum(uint64_t row, uint32_t* out) const;
  Status PieceChecksum(uint64_t row, uint32_t* out) const;
  Status DirectoryTotals(const Entry& directory, Totals* out) const;
  Status Xattrs(uint32_t set, std::vector<Xattr>* out) const;
  Status MayHaveAcls(bool* out) const;
  Status Volumes(std::vector<VolumeInfo>* out) const;
  Status Frame(const VolumeInfo& volume, uint64_t frame, FramePlace* out) const;

  // That entry 0 is a directory without a name, and has totals.
  Status CheckRoot() const;

  // Finds the frames of each compressed volume, where there are any. Before anything is asked about content.
  Status ReadFrameTables();

 private:
  Status Checksum(format::Section kind, uint64_t row, uint32_t* out) const;
  Status Attributes(uint32_t row, uint64_t reference, Entry* out) const;
  Status Wide(uint32_t number, Entry* out) const;
  Status Alias(const uint8_t* words, Entry* out) const;
  Status File(const uint8_t* words, Entry* out) const;
  Status Directory(const uint8_t* words, Entry* out) const;
  Status ListHeader(const Entry& file, uint64_t* size, uint32_t* rows) const;
  void Prefetch(uint32_t number) const;
  Status NameBytes(uint32_t number, std::string_view* out) const;
  Status CheckName(uint32_t number, std::string_view name) const;
  Status CheckExtent(const Extent& extent, format::Section kind, uint64_t at) const;
  Status PlainLength(uint32_t volume, uint64_t* out) const;
  Status DirectoryRow(uint64_t row, const uint8_t** out) const;
  Status MalformedEntry(uint32_t number, uint32_t word, const std::string& message) const;

  const IndexMap* map_;
  uint32_t entry_count_ = 0;
  uint32_t bucket_count_ = 0;
  uint32_t index_bits_ = 0;  // of a slot: the entry number
  uint32_t tag_bits_ = 0;    // of a slot: the fingerprint

  struct FrameTable {
    uint64_t plain_length = 0;
    uint64_t frame_length = 0;  // 0: the volume has no frames
    uint64_t first_frame = 0;
  };
  std::vector<FrameTable> frame_tables_;  // of each volume; empty where the index has no frames
};

}  // namespace shoal
