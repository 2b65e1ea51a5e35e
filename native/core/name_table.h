// Finds a node by its parent and its name while a tree is built: open addressing, eight bytes a slot, so that a probe
// seldom leaves the table.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace shoal {

class NameTable {
 public:
  NameTable();

  // Of the 32 bits that a slot keeps, the high ones choose the slot: growing moves slots in order and needs no names.
  // The same for as long as the process lives.
  static uint32_t Hash(uint32_t parent, std::string_view name);

  // The node (never 0) for which `same(node)` holds among those inserted with `hash`; 0 where there is none.
  template <typename Same>
  uint32_t Find(uint32_t hash, const Same& same) const {
    for (size_t i = hash >> shift_;; i = (i + 1) & (slots_.size() - 1)) {
      const uint64_t slot = slots_[i];
      if (slot == 0) return 0;
      if (slot >> 32 == hash && same(static_cast<uint32_t>(slot))) return static_cast<uint32_t>(slot);
    }
  }

  // REQUIRES: node is not 0 and not in the table.
  void Insert(uint32_t hash, uint32_t node);

  void Release();

 private:
  void Place(uint64_t slot);

  std::vector<uint64_t> slots_;  // hash in the high half, node in the low one; 0: free
  uint32_t shift_;
  size_t used_ = 0;
};

}  // namespace shoal
