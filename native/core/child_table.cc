#include "core/child_table.h"

#include "core/name_table.h"

namespace shoal {
namespace {

constexpr uint32_t kTagShift = 32 + kLayerBits;
constexpr uint32_t kTagMask = (1u << (64 - kTagShift)) - 1;

// The place of a name in a table is chosen by the high bits of its hash, so the low ones tell more.
uint64_t Pack(uint32_t hash, const Place& place) {
  return uint64_t{hash & kTagMask} << kTagShift | uint64_t{place.layer} << 32 | place.number;
}

Place Unpack(uint64_t slot) {
  Place place;
  place.layer = static_cast<uint32_t>(slot >> 32) & (kMaxLayers - 1);
  place.number = static_cast<uint32_t>(slot);
  return place;
}

struct Named {
  uint32_t hash;
  Place place;
};

// Each name once.
Status Collect(const Layers& layers, const std::vector<Part>& parts, std::vector<Named>* out) {
  NameTable names;
  for (const Part& part : parts) {
    const IndexView& index = IndexOf(layers, part.place);
    for (uint32_t i = 0; i < part.child_count; i++) {
      Place child = part.place;
      child.number = part.first_child + i;
      std::string_view name;
      SHOAL_RETURN_IF_ERROR(index.Name(child.number, &name));
      const uint32_t hash = NameTable::Hash(0, name);
      Status status;
      const uint32_t known = names.Find(hash, [&](uint32_t number) {
        const Place& other = (*out)[number - 1].place;
        bool same = false;
        status = IndexOf(layers, other).HasName(other.number, name, &same);
        return same || !status.ok();
      });
      SHOAL_RETURN_IF_ERROR(std::move(status));
      if (known != 0) continue;
      if (out->size() == IndexView::kNone - 1) return Status(Code::kUnsupported, "a directory has too many names");
      out->push_back({hash, child});
      names.Insert(hash, static_cast<uint32_t>(out->size()));
    }
  }
  return Status();
}

}  // namespace

Status ChildTable::Build(const Layers& layers, const std::vector<Part>& parts, std::unique_ptr<const ChildTable>* out) {
  const uint64_t faults = IndexView::faults();
  std::vector<Named> names;
  SHOAL_RETURN_IF_ERROR(Collect(layers, parts, &names));
  if (IndexView::faults() != faults) return Status(Code::kIo, "storage does not give the index");
  std::unique_ptr<ChildTable> table(new ChildTable());
  table->slots_.resize(names.size() + names.size() / 3 + 2);
  for (const Named& named : names) table->Insert(named.hash, named.place);
  *out = std::move(table);
  return Status();
}

void ChildTable::Insert(uint32_t hash, const Place& place) {
  size_t slot = First(hash);
  while (slots_[slot] != 0) slot = Next(slot);
  slots_[slot] = Pack(hash, place);
}

Status ChildTable::Find(const Layers& layers, std::string_view name, Place* out) const {
  *out = Place();
  const uint32_t hash = NameTable::Hash(0, name);
  for (size_t slot = First(hash); slots_[slot] != 0; slot = Next(slot)) {
    if (slots_[slot] >> kTagShift != (hash & kTagMask)) continue;
    const Place place = Unpack(slots_[slot]);
    bool same = false;
    SHOAL_RETURN_IF_ERROR(IndexOf(layers, place).HasName(place.number, name, &same));
    if (!same) continue;
    *out = place;
    break;
  }
  return Status();
}

}  // namespace shoal
