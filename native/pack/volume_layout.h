// Puts members into volumes, one after the other, and lays out the steps in which they are written.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "pack/member_lengths.h"
#include "pack/pack_catalogue.h"
#include "pack/tail_length.h"

namespace shoal {

class VolumeLayout {
 public:
  // `volume_size` bounds a volume; 0: all members stand in one. `links` is sorted by entry.
  VolumeLayout(PackCatalogue* catalogue, MemberLengths* lengths, const Links& links, uint64_t volume_size);

  // Adds the members of one kind with these numbers, which stand in one volume, a new one where they do not fit.
  Status Add(PlanStep::Kind kind, uint32_t first, uint32_t count);
  // Ends the last volume.
  void Finish();

 private:
  // What members take of a volume.
  struct Extent {
    uint64_t members = 0;  // length
    TailLength tail;
  };

  Status MakeRoom(PlanStep::Kind kind, uint32_t first, uint32_t count);
  uint32_t EntryOf(PlanStep::Kind kind, uint32_t number) const;
  bool IsMember(PlanStep::Kind kind, uint32_t number) const;
  void Grow(uint32_t entry, Extent* extent) const;
  uint64_t LengthWith(PlanStep::Kind kind, uint32_t first, uint32_t count) const;
  void Place(PlanStep::Kind kind, uint32_t number);
  void ChooseOriginal(uint32_t copy);
  void StoreAgain(uint32_t copy);
  void CloseStep();
  void CloseVolume(bool last);
  Status OpenVolume();
  void FindLink(uint32_t entry, Links* to) const;

  PackCatalogue& catalogue_;
  Plan& plan_;
  MemberLengths& lengths_;
  const Links& links_;
  const uint64_t volume_size_;
  uint64_t root_length_ = 0;
  uint64_t passing_root_length_ = 0;
  Extent used_;  // of the last volume
  PlanStep step_;
  // Copies follow their original. Of the last one: the file in this volume that has the content, the original or a copy
  // that is stored again because it did not fit the volume before.
  uint32_t original_ = Catalogue::kNone;
  uint32_t holder_ = Catalogue::kNone;
};

}  // namespace shoal
