// Makes the tar members of a catalogue's entries, in order.
#pragma once

#include <string>

#include "core/format.h"
#include "pack/pack_catalogue.h"
#include "pack/tar_header.h"

namespace shoal {

// Path of the root's member.
constexpr char kRootPath[] = "./";

// The record of a copy's member that tells it from an alias.
constexpr char kCopyComment[] = "shoal copy";

// A file's holes and ranges of data, or nullptr for a file without holes.
ExtentList* FindExtents(Catalogue* catalogue, uint32_t file);
const ExtentList* FindExtents(const Catalogue& catalogue, uint32_t file);

// Length of what a volume holds of a file's content.
uint64_t StoredBytes(const Catalogue& catalogue, uint32_t file);

// Values in the tail for a file with a content of `size` bytes, of which `stored` are stored.
constexpr uint64_t ChecksumCount(uint64_t size, uint64_t stored) {
  if (stored > format::kChunkLength) return (stored + format::kChunkLength - 1) / format::kChunkLength;
  return size > 0 ? 1 : 0;
}

// One per thread. Cheapest where entries are asked for in order, because then most have the parent of the one before.
class MemberBuilder {
 public:
  explicit MemberBuilder(const PackCatalogue* catalogue) : catalogue_(*catalogue) {}

  // Appends the headers of `entry`, and the map of a sparse file: all that stands before its stored bytes. Returns
  // their number.
  uint64_t Append(uint32_t entry, std::string* to);

  // Appends the member that stands behind the tail of a volume that is not the last one.
  void AppendPassingRoot(std::string* to);

 private:
  const PackCatalogue& catalogue_;
  uint32_t parent_ = 0xFFFFFFFF;
  std::string path_;  // the parent's, with a `/` behind it, and then the entry's
  size_t parent_length_ = 0;
  std::string target_;
  std::string map_;
};

}  // namespace shoal
