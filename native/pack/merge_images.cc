#include "pack/merge_images.h"

#include <algorithm>
#include <deque>
#include <unordered_map>

#include "core/entry_path.h"
#include "pack/child_merge.h"
#include "pack/entry_copier.h"
#include "pack/removed_paths.h"

namespace shoal {
namespace {

constexpr uint32_t kUnset = 0xFFFFFFFF;
constexpr uint64_t kEntriesPerReport = 4096;

class Merger {
 public:
  Merger(const MergeRequest& request, Progress* progress, Merged* out)
      : request_(request), progress_(*progress), out_(*out), copier_(indexes_, &out->catalogue) {}

  Status Run() {
    SHOAL_RETURN_IF_ERROR(OpenParts());
    SHOAL_RETURN_IF_ERROR(ReadRemoved());
    const uint64_t faults = IndexView::faults();
    SHOAL_RETURN_IF_ERROR(FindLinked());
    SHOAL_RETURN_IF_ERROR(AddRoot());
    for (; !directories_.empty(); directories_.pop_front()) {
      SHOAL_RETURN_IF_ERROR(AddChildrenOf(directories_.front()));
    }
    if (request_.keeps_volumes) SHOAL_RETURN_IF_ERROR(copier_.UseAllVolumes());
    SHOAL_RETURN_IF_ERROR(copier_.Finish(&out_.volumes));
    out_.bytes = copier_.bytes();
    out_.missing = removed_.Missing();
    progress_.entries_done = entries_of_parts_;
    // Names are views of the maps: what was copied from them while a page was missing may be zeros.
    if (IndexView::faults() == faults) return Status();
    return Status(Code::kIo, "storage did not give a page of an index while it was read; merge again");
  }

 private:
  // A directory of the result whose children are still to come. Its parts stand in parts_.
  struct Directory {
    uint32_t entry;
    uint32_t parts;
    uint32_t removed;  // its node in removed_
  };

  Status OpenParts() {
    const size_t count = request_.parts.size();
    if (count > kMaxLayers) {
      return Status(Code::kUsage, "expected at most " + std::to_string(kMaxLayers) + " images, found " +
                                      std::to_string(count) + "; merge some of them first, and then the results");
    }
    for (size_t part = count; part-- > 0;) {
      PartIndex index;
      index.volume_numbers = request_.volumes[part];
      SHOAL_RETURN_IF_ERROR(IndexView::Open(request_.parts[part], &index.view));
      SHOAL_RETURN_IF_ERROR(index.view->Volumes(&index.volumes));
      if (index.volumes.size() != index.volume_numbers.size()) {
        return Status(Code::kChanged, "expected " + std::to_string(index.volume_numbers.size()) +
                                          " volumes as before, found " + std::to_string(index.volumes.size()) +
                                          "; merge when nobody replaces the image")
            .At(request_.parts[part]);
      }
      entries_of_parts_ += index.view->entry_count();
      indexes_.push_back(std::move(index));
    }
    progress_.entries_total = entries_of_parts_;
    return Status();
  }

  Status ReadRemoved() {
    for (const std::string& given : request_.removed) {
      std::string path;
      const bool has_zero = given.find('\0') != std::string::npos;
      const char* problem = has_zero ? "the path has a zero byte" : NormalizeEntryPath(given, &path);
      if (problem == nullptr && path.empty()) problem = "it is the root";
      if (problem != nullptr) {
        return Status(Code::kUsage, std::string("expected the path of an entry to remove; ") + problem).At(given);
      }
      removed_.Add(path);
    }
    return Status();
  }

  // Entries that have aliases: which of their names will be the first is not known before.
  Status FindLinked() {
    for (uint32_t layer = 0; layer < indexes_.size(); layer++) {
      const IndexView& index = *indexes_[layer].view;
      for (uint32_t number = 0; number < index.entry_count(); number++) {
        if (number % kEntriesPerReport == 0 && progress_.cancel != 0) return Cancelled();
        Entry entry;
        SHOAL_RETURN_IF_ERROR(index.Get(number, &entry));
        if (entry.alias) linked_[KeyOf(layer, entry.target)] = kUnset;
      }
    }
    return Status();
  }

  Status AddRoot() {
    Entry root;
    SHOAL_RETURN_IF_ERROR(indexes_[0].view->Get(0, &root));
    SHOAL_RETURN_IF_ERROR(copier_.Append({}, 0));
    for (uint32_t layer = 0; layer < indexes_.size(); layer++) parts_.push_back({layer, 0});
    directories_.push_back({0, static_cast<uint32_t>(indexes_.size()), RemovedPaths::kRoot});
    return copier_.Copy(0, 0, root);
  }

  Status AddChildrenOf(const Directory& directory) {
    const auto end = parts_.begin() + directory.parts;
    current_.assign(parts_.begin(), end);
    parts_.erase(parts_.begin(), end);
    SHOAL_RETURN_IF_ERROR(children_.Start(current_));
    Catalogue& catalogue = out_.catalogue;
    const auto first = static_cast<uint32_t>(catalogue.size());
    for (;;) {
      std::string_view name;
      SHOAL_RETURN_IF_ERROR(children_.Next(&name, &found_));
      if (found_.empty()) break;
      SHOAL_RETURN_IF_ERROR(Report(found_.size()));
      const uint32_t removed = removed_.Child(directory.removed, name);
      if (removed_.IsRemoved(removed)) {
        removed_.MarkFound(removed);
      } else {
        SHOAL_RETURN_IF_ERROR(AddChild(name, directory.entry, removed));
      }
    }
    catalogue.offsets[directory.entry] = first;
    catalogue.counts[directory.entry] = static_cast<uint32_t>(catalogue.size()) - first;
    return Status();
  }

  // Adds the topmost of found_, and if that is a directory those below it as far as they are directories, too.
  Status AddChild(std::string_view name, uint32_t parent, uint32_t removed) {
    const auto entry = static_cast<uint32_t>(out_.catalogue.size());
    const Place& top = found_.front().place;
    const IndexView& index = IndexOf(indexes_, top);
    // Only directories that share children make more, and no index may have them.
    if (entry >= entries_of_parts_) return Malformed(index, "expected each entry in one directory, found one in two");
    SHOAL_RETURN_IF_ERROR(copier_.Append(name, parent));
    Entry found;
    SHOAL_RETURN_IF_ERROR(index.Get(top.number, &found));
    if (!found.IsDirectory()) return AddLeaf(entry, top.layer, found);
    SHOAL_RETURN_IF_ERROR(copier_.Copy(entry, top.layer, found));
    uint32_t parts = 0;
    for (const ChildMerge::Found& part : found_) {
      SHOAL_RETURN_IF_ERROR(IndexOf(indexes_, part.place).Get(part.place.number, &found));
      if (!found.IsDirectory()) break;
      if (found.parent != part.directory) {
        return Malformed(IndexOf(indexes_, part.place), "entry " + std::to_string(found.number) + ": expected parent " +
                                                            std::to_string(part.directory) + ", found " +
                                                            std::to_string(found.parent));
      }
      parts_.push_back(part.place);
      parts++;
    }
    directories_.push_back({entry, parts, removed});
    return Status();
  }

  // `found` as the index has it: maybe an alias.
  Status AddLeaf(uint32_t entry, uint32_t layer, const Entry& found) {
    const auto linked = linked_.find(KeyOf(layer, found.alias ? found.target : found.number));
    if (linked != linked_.end()) {
      if (linked->second != kUnset) {
        copier_.MakeAlias(entry, linked->second);
        return Status();
      }
      linked->second = entry;
    }
    Entry resolved;
    SHOAL_RETURN_IF_ERROR(indexes_[layer].view->Resolve(found.number, &resolved));
    return copier_.Copy(entry, layer, resolved);
  }

  Status Report(uint64_t entries) {
    const uint64_t before = done_;
    done_ += entries;
    if (before / kEntriesPerReport == done_ / kEntriesPerReport) return Status();
    progress_.entries_done = done_;
    return progress_.cancel == 0 ? Status() : Cancelled();
  }

  static Status Cancelled() { return Status(Code::kCancelled, "cancelled before it was done"); }

  static Status Malformed(const IndexView& index, const std::string& message) {
    return Status(Code::kMalformed, message + "; make the index anew from its volumes").At(index.path());
  }

  static uint64_t KeyOf(uint32_t layer, uint32_t number) { return uint64_t{layer} << 32 | number; }

  const MergeRequest& request_;
  Progress& progress_;
  Merged& out_;

  PartIndexes indexes_;
  uint64_t entries_of_parts_ = 0;
  uint64_t done_ = 0;
  RemovedPaths removed_;
  std::unordered_map<uint64_t, uint32_t> linked_;  // layer and entry that has aliases → the entry that it has become
  EntryCopier copier_;

  std::deque<Directory> directories_;
  std::deque<Place> parts_;  // of directories_, one after the other, topmost first
  ChildMerge children_{indexes_};
  std::vector<Place> current_;
  std::vector<ChildMerge::Found> found_;
};

}  // namespace

Status MergeImages(const MergeRequest& request, Progress* progress, Merged* out) {
  *out = Merged();
  return Merger(request, progress, out).Run();
}

}  // namespace shoal
