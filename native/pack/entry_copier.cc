#include "pack/entry_copier.h"

#include <algorithm>
#include <string>
#include <utility>

#include "core/format.h"
#include "pack/pax_records.h"

namespace shoal {

Status EntryCopier::Append(std::string_view name, uint32_t parent) {
  if (out_.size() >= format::kMaxEntries) {
    return Status(Code::kUnsupported, "an image holds at most " + std::to_string(format::kMaxEntries) + " entries");
  }
  out_.name_lengths.push_back(static_cast<uint8_t>(name.size()));
  out_.name_offsets.push_back(out_.names.size());
  out_.names.append(name);
  out_.parents.push_back(parent);
  out_.attributes.push_back(0);
  out_.seconds.push_back(0);
  out_.nanoseconds.push_back(0);
  out_.sizes.push_back(0);
  out_.offsets.push_back(0);
  out_.volumes.push_back(0);
  out_.counts.push_back(0);
  out_.checksums.push_back(0);
  return Status();
}

Status EntryCopier::Copy(uint32_t entry, uint32_t layer, const Entry& from) {
  SHOAL_RETURN_IF_ERROR(SetMetadata(entry, layer, from));
  if (from.IsDirectory()) return Status();
  if (from.IsFile()) return SetContent(entry, layer, from);
  if (from.IsSymlink()) {
    std::string_view target;
    SHOAL_RETURN_IF_ERROR(indexes_[layer].view->LinkTarget(from, &target));
    out_.sizes[entry] = target.size();
    out_.offsets[entry] = out_.link_targets.size();
    out_.link_targets.append(target);
    return Status();
  }
  out_.offsets[entry] = from.device_major;
  out_.counts[entry] = from.device_minor;
  return Status();
}

Status EntryCopier::SetMetadata(uint32_t entry, uint32_t layer, const Entry& from) {
  uint32_t set;
  SHOAL_RETURN_IF_ERROR(SetOf(layer, from.xattrs, &set));
  out_.attributes[entry] = attributes_.AddRow({from.mode, from.uid, from.gid, from.nlink, set});
  out_.seconds[entry] = from.seconds;
  out_.nanoseconds[entry] = from.nanoseconds;
  return Status();
}

// The number in the table of a set of extended attributes.
Status EntryCopier::SetOf(uint32_t layer, uint32_t set, uint32_t* number) {
  *number = format::kNoXattrs;
  if (set == format::kNoXattrs) return Status();
  const auto added = sets_.try_emplace(uint64_t{layer} << 32 | set, format::kNoXattrs);
  if (added.second) {
    std::vector<Xattr> xattrs;
    SHOAL_RETURN_IF_ERROR(indexes_[layer].view->Xattrs(set, &xattrs));
    std::vector<std::pair<std::string, std::string>> values;
    for (const Xattr& xattr : xattrs) values.emplace_back(xattr.name, xattr.value);
    std::string encoded;
    tar::EncodeXattrs(values, &encoded);
    if (!encoded.empty()) added.first->second = attributes_.AddSet(std::move(encoded));
  }
  *number = added.first->second;
  return Status();
}

Status EntryCopier::SetContent(uint32_t entry, uint32_t layer, const Entry& file) {
  const PartIndex& index = indexes_[layer];
  out_.sizes[entry] = file.size;
  bytes_ += file.size;
  std::vector<Extent> extents;
  SHOAL_RETURN_IF_ERROR(index.view->Extents(file, &extents));
  uint64_t stored = 0;
  size_t checked = 0;
  for (Extent& extent : extents) {
    stored += extent.length;
    if ((index.volumes[extent.volume].flags & format::kVolumeHasChecksums) != 0) checked++;
    SHOAL_RETURN_IF_ERROR(UseVolume(index.volume_numbers[extent.volume], &extent.volume));
  }
  if (checked != 0 && checked != extents.size()) {
    return Status(Code::kMalformed, "entry " + std::to_string(file.number) +
                                        ": expected that all its volumes have checksums or none, found both; make the "
                                        "index anew from its volumes")
        .At(index.view->path());
  }
  if (extents.size() == 1 && stored == file.size) {
    out_.offsets[entry] = extents.front().offset;
    out_.volumes[entry] = static_cast<uint16_t>(extents.front().volume);
  } else if (file.size > 0) {
    out_.extent_lists.push_back({entry, file.size, std::move(extents)});
  }
  return checked == 0 ? Status() : SetChecksum(entry, *index.view, file, stored);
}

Status EntryCopier::SetChecksum(uint32_t entry, const IndexView& index, const Entry& file, uint64_t stored) {
  if (stored <= format::kChunkLength) {
    out_.checksums[entry] = file.checksum;
    return Status();
  }
  out_.checksums[entry] = static_cast<uint32_t>(out_.chunk_checksums.size());
  const uint64_t end = file.checksum + (stored + format::kChunkLength - 1) / format::kChunkLength;
  for (uint64_t row = file.checksum; row < end; row++) {
    uint32_t checksum;
    SHOAL_RETURN_IF_ERROR(index.ChunkChecksum(row, &checksum));
    out_.chunk_checksums.push_back(checksum);
  }
  return Status();
}

Status EntryCopier::UseVolume(uint32_t number, uint32_t* row) {
  const auto added = rows_.try_emplace(number, static_cast<uint32_t>(rows_.size()));
  *row = added.first->second;
  if (rows_.size() <= kMaxVolumes) return Status();
  return Status(Code::kUnsupported, "expected at most " + std::to_string(kMaxVolumes) +
                                        " volumes in an image, found more; leave some of the images out, or pack with "
                                        "larger volumes");
}

Status EntryCopier::UseAllVolumes() {
  uint32_t row;
  for (const PartIndex& index : indexes_) {
    for (uint32_t number : index.volume_numbers) SHOAL_RETURN_IF_ERROR(UseVolume(number, &row));
  }
  return Status();
}

Status EntryCopier::Finish(std::vector<uint32_t>* used) {
  SHOAL_RETURN_IF_ERROR(FinishAttributes());
  FinishVolumes(used);
  return Status();
}

Status EntryCopier::FinishAttributes() {
  std::vector<uint32_t> offsets;
  for (uint32_t set = 0; set < table_.set_count(); set++) {
    if (out_.xattr_sets.size() + table_.set(set).size() >= format::kNoXattrs) {
      return Status(Code::kUnsupported, "an image holds at most 4 GiB of extended attributes");
    }
    offsets.push_back(static_cast<uint32_t>(out_.xattr_sets.size()));
    out_.xattr_sets.append(table_.set(set));
  }
  for (uint32_t number = 0; number < table_.row_count(); number++) {
    out_.attribute_rows.push_back(table_.row(number));
    uint32_t& set = out_.attribute_rows.back().xattrs;
    if (set != format::kNoXattrs) set = offsets[set];
  }
  return Status();
}

void EntryCopier::FinishVolumes(std::vector<uint32_t>* used) {
  used->clear();
  for (const auto& row : rows_) used->push_back(row.first);
  std::sort(used->begin(), used->end());
  std::vector<uint32_t> row_of(rows_.size());
  for (uint32_t row = 0; row < used->size(); row++) row_of[rows_[(*used)[row]]] = row;
  auto list = out_.extent_lists.begin();
  for (uint32_t entry = 0; entry < out_.size(); entry++) {
    if (list != out_.extent_lists.end() && list->entry == entry) {
      for (Extent& extent : list->extents) extent.volume = row_of[extent.volume];
      ++list;
    } else if (IsStored(entry)) {
      out_.volumes[entry] = static_cast<uint16_t>(row_of[out_.volumes[entry]]);
    }
  }
}

bool EntryCopier::IsStored(uint32_t entry) const {
  const uint32_t row = out_.attributes[entry];
  if (row == Catalogue::kAlias || out_.sizes[entry] == 0) return false;
  return (out_.attribute_rows[row].mode & 0170000) == 0100000;
}

}  // namespace shoal
