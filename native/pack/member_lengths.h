// How long the headers of each entry's member are.
#pragma once

#include <cstdint>
#include <vector>

#include "pack/member_builder.h"
#include "pack/pack_catalogue.h"

namespace shoal {

class MemberLengths {
 public:
  explicit MemberLengths(const PackCatalogue* catalogue) : catalogue_(*catalogue), builder_(catalogue) {}

  // Builds the headers of all entries with `jobs` threads.
  Status Measure(unsigned jobs);
  // Builds those of `entry` anew, which became something else.
  void MeasureAgain(uint32_t entry);

  // All that stands before the stored bytes.
  uint64_t HeaderLength(uint32_t entry);

 private:
  static constexpr uint16_t kMore = 0xFFFF;  // blocks: so many or more

  static uint16_t Blocks(uint64_t length);

  const PackCatalogue& catalogue_;
  MemberBuilder builder_;
  std::string header_;
  std::vector<uint16_t> blocks_;  // per entry
};

}  // namespace shoal
