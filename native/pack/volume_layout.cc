#include "pack/volume_layout.h"

#include <algorithm>

#include "core/format.h"
#include "pack/tar_header.h"

namespace shoal {

VolumeLayout::VolumeLayout(PackCatalogue* catalogue, MemberLengths* lengths, const Links& links, uint64_t volume_size)
    : catalogue_(*catalogue), plan_(catalogue->plan), lengths_(*lengths), links_(links), volume_size_(volume_size) {
  root_length_ = lengths->HeaderLength(0);
  std::string passing;
  MemberBuilder(catalogue).AppendPassingRoot(&passing);
  passing_root_length_ = passing.size();
  plan_.volumes.emplace_back();
}

Status VolumeLayout::Add(PlanStep::Kind kind, uint32_t first, uint32_t count) {
  if (volume_size_ > 0) SHOAL_RETURN_IF_ERROR(MakeRoom(kind, first, count));
  for (uint32_t number = first; number < first + count; number++) {
    if (IsMember(kind, number)) Place(kind, number);
  }
  return Status();
}

// Opens a new volume where the members do not fit the last one.
Status VolumeLayout::MakeRoom(PlanStep::Kind kind, uint32_t first, uint32_t count) {
  const uint32_t entry = EntryOf(kind, first);
  const bool is_copy = kind == PlanStep::Kind::kMembers && catalogue_.IsCopy(entry);
  if (is_copy) ChooseOriginal(entry);
  uint64_t length = LengthWith(kind, first, count);
  if (length <= volume_size_) return Status();
  if (used_.members > 0) {
    SHOAL_RETURN_IF_ERROR(OpenVolume());
    if (is_copy) StoreAgain(entry);
    length = LengthWith(kind, first, count);
    if (length <= volume_size_) return Status();
  }
  plan_.oversized.push_back({Code::kUsage, catalogue_.Path(entry),
                             "needs a volume of its own of " + std::to_string(length) +
                                 " bytes, more than the volume size of " + std::to_string(volume_size_)});
  return Status();
}

void VolumeLayout::ChooseOriginal(uint32_t copy) {
  const uint32_t original = catalogue_.originals[copy];
  if (original_ != original) {
    original_ = holder_ = original;
  } else if (holder_ != original) {
    catalogue_.originals[copy] = holder_;
    lengths_.MeasureAgain(copy);
  }
}

// The file that the copy is one of stands in another volume.
void VolumeLayout::StoreAgain(uint32_t copy) {
  catalogue_.originals[copy] = Catalogue::kNone;
  lengths_.MeasureAgain(copy);
  holder_ = copy;
}

void VolumeLayout::Finish() { CloseVolume(true); }

uint32_t VolumeLayout::EntryOf(PlanStep::Kind kind, uint32_t number) const {
  return kind == PlanStep::Kind::kDirectories ? plan_.directories[number] : plan_.EntryOf(number);
}

// Numbers of entries include those of directories.
bool VolumeLayout::IsMember(PlanStep::Kind kind, uint32_t number) const {
  return kind == PlanStep::Kind::kDirectories || !catalogue_.IsDirectory(plan_.EntryOf(number));
}

void VolumeLayout::Grow(uint32_t entry, Extent* extent) const {
  extent->members += lengths_.HeaderLength(entry);
  if (catalogue_.HasData(entry)) {
    const uint64_t stored = StoredBytes(catalogue_, entry);
    extent->members += Padded(stored);
    extent->tail.AddChecksums(ChecksumCount(catalogue_.sizes[entry], stored));
  }
  Links links;
  FindLink(entry, &links);
  for (const auto& link : links) extent->tail.AddLink(link.first, link.second);
}

// At most so long is the last volume with these members and nothing more. Which volume is the last one of all is known
// late, so each has room for the root.
uint64_t VolumeLayout::LengthWith(PlanStep::Kind kind, uint32_t first, uint32_t count) const {
  Extent extent = used_;
  for (uint32_t number = first; number < first + count; number++) {
    if (IsMember(kind, number)) Grow(EntryOf(kind, number), &extent);
  }
  extent.tail.AddLink(0, catalogue_.Row(0).nlink);
  const TailLength& tail = extent.tail;
  const uint64_t pieces_offset = kVolumeHeadLength + extent.members + tail.checksums_length() + tail.links_bound();
  return EndedLength(pieces_offset + TailValuesLength(TailValues::kPieces, pieces_offset / format::kPieceLength) +
                     std::max(root_length_, passing_root_length_));
}

void VolumeLayout::Place(PlanStep::Kind kind, uint32_t number) {
  const uint32_t entry = EntryOf(kind, number);
  if (step_.count > 0 && step_.kind != kind) CloseStep();
  if (step_.count == 0) {
    step_.kind = kind;
    step_.volume = static_cast<uint16_t>(plan_.volumes.size() - 1);
    step_.offset = kVolumeHeadLength + used_.members;
    step_.first = number;
  }
  step_.count = number - step_.first + 1;
  const uint64_t data = kVolumeHeadLength + used_.members + lengths_.HeaderLength(entry);
  Grow(entry, &used_);
  FindLink(entry, &plan_.volumes.back().links);
  const uint64_t stored = catalogue_.HasData(entry) ? StoredBytes(catalogue_, entry) : 0;
  plan_.stored_bytes += stored;
  if (catalogue_.IsCopy(entry)) plan_.copied_bytes += catalogue_.sizes[entry];
  if (stored > Plan::kLargeFile) {
    CloseStep();
    for (uint64_t at = 0; at < stored; at += Plan::kLargeStep) {
      const uint64_t length = std::min(Plan::kLargeStep, stored - at);
      const auto volume = static_cast<uint16_t>(plan_.volumes.size() - 1);
      plan_.steps.push_back({PlanStep::Kind::kStored, volume, entry, 0, data + at, at, length});
    }
  } else if (kVolumeHeadLength + used_.members - step_.offset >= Plan::kMembersLength) {
    CloseStep();
  }
}

void VolumeLayout::CloseStep() {
  if (step_.count > 0) plan_.steps.push_back(step_);
  step_ = PlanStep();
}

void VolumeLayout::CloseVolume(bool last) {
  CloseStep();
  VolumePlan& volume = plan_.volumes.back();
  volume.step_count = plan_.steps.size() - volume.first_step;
  volume.checksum_count = used_.tail.checksum_count();
  volume.tail_offset = kVolumeHeadLength + used_.members;
  if (last) FindLink(0, &volume.links);
  std::sort(volume.links.begin(), volume.links.end());
  std::string links;
  AppendTailLinks(volume.links, &links);
  volume.pieces_offset = volume.tail_offset + used_.tail.checksums_length() + links.size();
  volume.length = EndedLength(volume.pieces_offset +
                              TailValuesLength(TailValues::kPieces, volume.pieces_offset / format::kPieceLength) +
                              (last ? root_length_ : passing_root_length_));
  used_ = Extent();
}

Status VolumeLayout::OpenVolume() {
  CloseVolume(false);
  if (plan_.volumes.size() == Plan::kMaxVolumes) {
    return Status(Code::kUsage, "expected at most " + std::to_string(Plan::kMaxVolumes) + " volumes of " +
                                    std::to_string(volume_size_) + " bytes, found more; give a larger volume size");
  }
  plan_.volumes.emplace_back();
  plan_.volumes.back().first_step = plan_.steps.size();
  return Status();
}

void VolumeLayout::FindLink(uint32_t entry, Links* to) const {
  if (links_.empty()) return;
  const auto found = std::lower_bound(links_.begin(), links_.end(), std::make_pair(entry, 0U));
  if (found != links_.end() && found->first == entry) to->push_back(*found);
}

}  // namespace shoal
