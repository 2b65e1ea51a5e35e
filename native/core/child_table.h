// All names of a merged directory, with the place of each: one probe finds a name, however many images have the
// directory. Never changes once it is built. 8 bytes a slot, four slots for three names: 11 bytes a name.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "layers.h"
#include "status.h"

namespace shoal {

class ChildTable {
 public:
  // Of names that several parts have, the first part's place is taken. Takes as long as reading all names.
  static Status Build(const Layers& layers, const std::vector<Part>& parts, std::unique_ptr<const ChildTable>* out);

  // *out does not exist where there is no such name. Reads the index of the layer that has it, and no other.
  Status Find(const Layers& layers, std::string_view name, Place* out) const;

 private:
  ChildTable() = default;
  size_t First(uint32_t hash) const { return static_cast<size_t>(uint64_t{hash} * slots_.size() >> 32); }
  size_t Next(size_t slot) const { return slot + 1 == slots_.size() ? 0 : slot + 1; }
  void Insert(uint32_t hash, const Place& place);

  std::vector<uint64_t> slots_;  // bits of the hash, layer, number; 0 is free, for no child is entry 0
};

}  // namespace shoal
