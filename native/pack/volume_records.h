// What a volume that Shoal wrote says of itself in the comments of its global headers: FORMAT §6.1 and §6.3.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/status.h"

namespace shoal {

class VolumeRecords {
 public:
  // Of the first header of the file. Leaves by_shoal() false where it is not Shoal's; a newer volume is kVersion.
  Status ReadHead(std::string_view comment);
  // Of a later header of such a volume. A malformed record is kMalformed; a comment that is none of Shoal's is skipped.
  Status ReadTail(std::string_view comment);

  bool by_shoal() const { return !id_.empty(); }
  bool in_tail() const { return in_tail_; }      // whether a record of the tail was read
  const std::string& id() const { return id_; }  // 32 hexadecimal digits
  // A volume whose packing ended before its id was known has zeros there.
  bool finished() const { return id_.find_first_not_of('0') != std::string::npos; }
  uint64_t number() const { return number_; }  // of the volume, counted from 0
  uint64_t count() const { return count_; }    // of the image's volumes
  const std::vector<std::pair<uint32_t, uint32_t>>& link_counts() const { return link_counts_; }  // entry, nlink
  const std::vector<uint32_t>& pieces() const { return pieces_; }  // those that end before their own headers begin

  const std::vector<uint32_t>& checksums() const { return checksums_; }  // of files in the order of their members

 private:
  Status ReadPart(std::string_view text);
  static Status ReadValues(std::string_view text, std::vector<uint32_t>* values);
  Status ReadLinks(std::string_view text);

  std::string id_;
  uint64_t number_ = 0;
  uint64_t count_ = 1;
  bool in_tail_ = false;
  std::vector<uint32_t> checksums_;
  std::vector<uint32_t> pieces_;
  std::vector<std::pair<uint32_t, uint32_t>> link_counts_;
};

}  // namespace shoal
