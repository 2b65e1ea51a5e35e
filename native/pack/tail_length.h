// How long the tail of a volume gets (FORMAT §6.3), while it is planned which members the volume has.
#pragma once

#include <cstdint>

namespace shoal {

class TailLength {
 public:
  void AddChecksums(uint64_t count);
  void AddLink(uint32_t entry, uint32_t nlink);

  uint64_t checksum_count() const { return checksums_; }
  // Of the headers with checksums.
  uint64_t checksums_length() const;
  // At most so long are those with links: how they fall into headers is only known when all of them are.
  uint64_t links_bound() const;

 private:
  uint64_t checksums_ = 0;
  uint64_t full_length_ = 0;  // of the headers that are full
  uint64_t links_ = 0;
  uint64_t links_text_ = 0;
};

}  // namespace shoal
