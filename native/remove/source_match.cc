#include "remove/source_match.h"

#include <algorithm>
#include <string>

#include "core/bytes.h"

namespace shoal {
namespace {

constexpr uint32_t kNone = IndexView::kNone;

}  // namespace

Status SourceMatch::Run(uint32_t root, const Progress& progress, std::vector<Kept>* kept) {
  const auto count = static_cast<uint32_t>(catalogue_.size());
  places_.assign(count, kNone);
  matched_.assign(count, 0);
  places_[0] = root;
  for (uint32_t entry = 0; entry < count; entry++) {
    if (progress.cancel.load(std::memory_order_relaxed) != 0)
      return Status(Code::kCancelled, "cancelled before it was done");
    if (entry > 0) SHOAL_RETURN_IF_ERROR(Find(entry, &places_[entry]));
    if (entry == 0 && catalogue_.made_up_root) continue;
    if (places_[entry] == kNone) {
      // Told once, for the highest directory that the image lacks.
      const bool is_told = entry > 0 && places_[catalogue_.parents[entry]] == kNone;
      if (!is_told && !is_slice_) kept->push_back({entry, Code::kDifferent, "the image lacks it"});
      continue;
    }
    std::string difference;
    SHOAL_RETURN_IF_ERROR(Compare(entry, places_[entry], &difference));
    if (difference.empty()) {
      matched_[entry] = 1;
      if (catalogue_.IsFile(entry) && catalogue_.sizes[entry] > 0) {
        Entry image;
        SHOAL_RETURN_IF_ERROR(index_.Resolve(places_[entry], &image));
        files_.emplace_back(image.number, entry);
      }
    } else {
      kept->push_back({entry, Code::kDifferent, "differs from the image: " + difference});
    }
  }
  std::sort(files_.begin(), files_.end());
  return Status();
}

std::vector<uint32_t> SourceMatch::FilesOf(uint32_t entry) const {
  std::vector<uint32_t> files;
  auto at = std::lower_bound(files_.begin(), files_.end(), std::make_pair(entry, uint32_t{0}));
  for (; at != files_.end() && at->first == entry; ++at) files.push_back(at->second);
  return files;
}

Status SourceMatch::Find(uint32_t entry, uint32_t* found) const {
  *found = kNone;
  const uint32_t parent = places_[catalogue_.parents[entry]];
  if (parent == kNone) return Status();
  Entry directory;
  SHOAL_RETURN_IF_ERROR(index_.Get(parent, &directory));
  if (!directory.IsDirectory()) return Status();
  std::string_view name = catalogue_.name(entry);
  SHOAL_RETURN_IF_ERROR(index_.Lookup(directory, name, found));
  // What a run left that was killed just then.
  const bool is_set_aside = *found == kNone && name.substr(0, kSetAside.size()) == kSetAside;
  return is_set_aside ? index_.Lookup(directory, name.substr(kSetAside.size()), found) : Status();
}

Status SourceMatch::Compare(uint32_t entry, uint32_t found, std::string* difference) const {
  if (catalogue_.IsAlias(entry)) return CompareAlias(entry, found, difference);
  Entry image;
  SHOAL_RETURN_IF_ERROR(index_.Resolve(found, &image));
  const AttributesRow& row = catalogue_.Row(entry);
  if ((image.mode & S_IFMT) != (row.mode & S_IFMT)) {
    *difference = "another type of file";
  } else if (image.mode != row.mode) {
    *difference = "other permissions";
  } else if (image.uid != row.uid || image.gid != row.gid) {
    *difference = "another owner";
  } else if (!image.IsDirectory() &&
             (image.seconds != catalogue_.seconds[entry] || image.nanoseconds != catalogue_.nanoseconds[entry])) {
    *difference = "another mtime";
  } else {
    SHOAL_RETURN_IF_ERROR(CompareKind(entry, image, difference));
    if (difference->empty()) SHOAL_RETURN_IF_ERROR(CompareXattrs(entry, image, difference));
  }
  return Status();
}

// A further name of a file needs no comparison of its own if the image, too, has it as one.
Status SourceMatch::CompareAlias(uint32_t entry, uint32_t found, std::string* difference) const {
  const auto target = static_cast<uint32_t>(catalogue_.offsets[entry]);
  if (!IsMatched(target)) {
    *difference = "so does the name that the source has first for the same file";
    return Status();
  }
  Entry image, other;
  SHOAL_RETURN_IF_ERROR(index_.Resolve(found, &image));
  SHOAL_RETURN_IF_ERROR(index_.Resolve(places_[target], &other));
  if (image.number != other.number) *difference = "it is no hard link of the same file there";
  return Status();
}

Status SourceMatch::CompareKind(uint32_t entry, const Entry& image, std::string* difference) const {
  if (image.IsFile()) {
    if (image.size != catalogue_.sizes[entry]) *difference = "another size";
  } else if (image.IsSymlink()) {
    std::string_view target;
    SHOAL_RETURN_IF_ERROR(index_.LinkTarget(image, &target));
    const auto source =
        std::string_view(catalogue_.link_targets).substr(catalogue_.offsets[entry], catalogue_.sizes[entry]);
    if (target != source) *difference = "another link target";
  } else if (S_ISCHR(image.mode) || S_ISBLK(image.mode)) {
    if (image.device_major != catalogue_.offsets[entry] || image.device_minor != catalogue_.counts[entry]) {
      *difference = "another device";
    }
  }
  return Status();
}

Status SourceMatch::CompareXattrs(uint32_t entry, const Entry& image, std::string* difference) const {
  const uint32_t set = catalogue_.Row(entry).xattrs;
  std::vector<Xattr> expected;
  if (image.xattrs != format::kNoXattrs) SHOAL_RETURN_IF_ERROR(index_.Xattrs(image.xattrs, &expected));
  const char* at = catalogue_.xattr_sets.data() + (set == format::kNoXattrs ? 0 : set);
  const uint32_t count = set == format::kNoXattrs ? 0 : Load<uint32_t>(at);
  bool same = expected.size() == count;
  at += sizeof(uint32_t);
  // Both are sorted by name (FORMAT §4.6).
  for (uint32_t i = 0; same && i < count; i++) {
    const auto name_length = Load<uint16_t>(at);
    const auto value_length = Load<uint32_t>(at + 2);
    const std::string_view name(at + 6, name_length);
    const std::string_view value(at + 6 + name_length, value_length);
    same = expected[i].name == name && expected[i].value == value;
    at += 6 + size_t{name_length} + value_length;
  }
  if (!same) *difference = "other extended attributes";
  return Status();
}

}  // namespace shoal
