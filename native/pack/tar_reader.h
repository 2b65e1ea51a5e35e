// Members of an uncompressed tar of any dialect, one after another: v7, ustar, GNU, star, pax. Headers that only
// describe the next member are taken together with it. What cannot be read right is an error, never a guess.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/tree_builder.h"
#include "pack/pax_records.h"
#include "pack/tar_fields.h"
#include "pack/tar_window.h"

namespace shoal::tar {

struct Member {
  uint64_t header_offset = 0;  // of its header block
  std::string path;            // as the archive has it
  bool hard_link = false;      // then link_target is all that counts
  std::string link_target;     // as the archive has it
  std::string comment;         // of a record of its own
  TreeEntry entry;             // its views and pointers are into this Member
  std::vector<Extent> extents;
  std::string xattrs;
};

enum class Item : uint8_t {
  kMember,
  kComment,  // of a global header
  kEnd,
};

class TarReader {
 public:
  // Fails with kUnsupported for a compressed file or another archive, and with kMalformed for what is no tar at all.
  Status Open(const std::string& path);
  // The same, of a stream, which outlives this; offsets are then those in the stream.
  Status OpenStream(ArchiveStream* stream);

  Status Next(Item* item, Member* member);

  const std::string& comment() const { return comment_; }  // after kComment
  uint64_t offset() const { return offset_; }              // of what comes next
  uint64_t size() const { return window_.size(); }         // of a stream: after kEnd
  const SeekTable& frames() const { return window_.frames(); }
  // Exactly `size` bytes at `offset`, which lie within the archive, which is no stream.
  Status Read(uint64_t offset, uint8_t* to, size_t size) const { return window_.Read(offset, to, size); }
  // After kEnd: whether it was two zero blocks, not the end of the file or one zero block.
  bool ended_properly() const { return ended_properly_; }
  // After kEnd: offset of what stands behind a single zero block, where GNU tar stops with a warning; else 0.
  uint64_t ignored_from() const { return ignored_from_; }

 private:
  // Of a member's data in the file.
  struct Place {
    uint64_t data_offset;
    uint64_t stored;
  };

  Status CheckBeginning();
  Status ViewHeader(const uint8_t** block, bool* end);
  Status SeeEnd();
  Status ReadExtension(const uint8_t* block, std::string* data);
  Status ReadRecords(std::string_view records, bool global);
  Status ReadMember(const uint8_t* block, Member* member);
  Status ReadMetadata(const uint8_t* block, const PaxFields& pax, uint32_t type, TreeEntry* entry);
  Status ReadOwner(const std::optional<int64_t>& pax, const uint8_t* block, Field field, uint32_t* out);
  Status ReadDevice(const uint8_t* block, TreeEntry* entry);
  Status StoredSize(const uint8_t* block, uint64_t* out);
  Status ReadSparse(const uint8_t* block, const PaxFields& pax, Place place, Member* member);
  Status LinkHasData(bool* has_data);
  Status MoveBehind(const Place& place, const Member& member);
  Status Damaged(Code code, const std::string& message) const;

  TarWindow window_;
  uint64_t offset_ = 0;
  uint64_t data_end_ = 0;  // of the last member
  bool ended_properly_ = false;
  uint64_t ignored_from_ = 0;
  uint64_t extension_offset_ = 0;  // of the data read last by ReadExtension
  PaxFields global_;
  std::string comment_;
  // Of the member that comes next.
  bool extended_ = false;  // local_ counts, which then has global_ in it
  PaxFields local_;
  std::string long_path_;
  std::string long_link_;
};

}  // namespace shoal::tar
