#include "core/tree.h"

#include <algorithm>

#include "core/entry_path.h"

namespace shoal {
namespace {

const char* TypeName(const Entry& entry) {
  if (entry.IsFile()) return "a file";
  return entry.IsSymlink() ? "a symbolic link, which is not followed" : "a special file";
}

Status WrongSubdir(const std::string& wrong, std::string_view path) {
  return Status(Code::kUsage, "expected subdir to be the path of a directory of the image" + wrong)
      .At(std::string(path));
}

}  // namespace

Status Tree::Open(const std::vector<std::string>& index_paths, std::string_view subdir, const ReadOptions& reading,
                  std::unique_ptr<Tree>* out) {
  if (index_paths.size() > kMaxLayers) {
    return Status(Code::kUsage, "expected at most " + std::to_string(kMaxLayers) + " images, found " +
                                    std::to_string(index_paths.size()) + "; pack some of them as one");
  }
  std::unique_ptr<Tree> tree(new Tree());
  for (size_t i = index_paths.size(); i-- > 0;) {
    std::unique_ptr<Image> image;
    SHOAL_RETURN_IF_ERROR(Image::Open(index_paths[i], reading, &image));
    tree->layers_.push_back(std::move(image));
  }
  SHOAL_RETURN_IF_ERROR(tree->ChooseRoot(subdir));
  SHOAL_RETURN_IF_ERROR(tree->SumTotals());
  *out = std::move(tree);
  return Status();
}

// As if the tree were mounted whole, and the path then followed.
Status Tree::ChooseRoot(std::string_view subdir) {
  std::string path;
  const bool has_zero = subdir.find('\0') != std::string_view::npos;
  const char* wrong = has_zero ? "the path has a zero byte" : NormalizeEntryPath(subdir, &path);
  if (wrong != nullptr) return WrongSubdir(std::string("; ") + wrong, subdir);
  for (uint32_t layer = 0; layer < layers_.size(); layer++) {
    Part part;
    part.place = Place{layer, 0};
    Entry entry;
    SHOAL_RETURN_IF_ERROR(index(part.place).Get(0, &entry));
    part.first_child = entry.first_child;
    part.child_count = entry.child_count;
    root_parts_.push_back(part);
  }
  for (size_t start = 0; start < path.size();) {
    const size_t end = std::min(path.find('/', start), path.size());
    std::vector<Part> parts;
    Entry entry;
    SHOAL_RETURN_IF_ERROR(
        PartsOfChild(layers_, root_parts_, std::string_view(path).substr(start, end - start), &entry, &parts));
    if (parts.empty()) return WrongSubdir(", found nothing", path.substr(0, end));
    if (!entry.IsDirectory()) return WrongSubdir(std::string(", found ") + TypeName(entry), path.substr(0, end));
    root_parts_ = std::move(parts);
    start = end + 1;
  }
  root_ = root_parts_.front().place;
  root_node_ = Pack(root_);
  whole_ = layers_.size() == 1 && root_.number == 0;
  if (layers_.size() > 1) Register(root_parts_);
  return Status();
}

Status Tree::SumTotals() {
  totals_.entries = 1;
  for (const Part& part : root_parts_) {
    Entry entry;
    Totals below;
    SHOAL_RETURN_IF_ERROR(index(part.place).Get(part.place.number, &entry));
    SHOAL_RETURN_IF_ERROR(index(part.place).DirectoryTotals(entry, &below));
    totals_.entries += below.entries;
    totals_.bytes += below.bytes;
  }
  return Status();
}

Status Tree::Lookup(const Place& at, const Entry& directory, std::string_view name, Place* place, Entry* child) {
  MergedDirectory* const merged = MergedAt(at);
  place->layer = at.layer;
  SHOAL_RETURN_IF_ERROR(merged == nullptr ? index(at).Lookup(directory, name, &place->number)
                                          : merged->Lookup(name, place));
  if (!place->exists()) return Status();
  SHOAL_RETURN_IF_ERROR(index(*place).Resolve(place->number, child));
  return merged != nullptr && child->IsDirectory() ? Merge(*merged, name, *place) : Status();
}

Place Tree::Parent(const Place& at, const Entry& directory) const {
  if (at == root_) return root_;
  const Place parent{at.layer, directory.parent};
  if (layers_.size() == 1) return parent;
  const MergedDirectory* const merged = known_.Find(Pack(parent));
  return merged == nullptr || merged == &alone_ ? parent : merged->top();
}

Tree::Children Tree::List(const Place& at, const Entry& directory) const {
  MergedDirectory* const merged = MergedAt(at);
  return {merged, Place{at.layer, directory.first_child},
          merged == nullptr ? directory.child_count : merged->positions()};
}

Status Tree::At(const Children& children, uint64_t position, Child* child) {
  child->place = children.merged == nullptr
                     ? Place{children.first.layer, children.first.number + static_cast<uint32_t>(position)}
                     : children.merged->At(position);
  SHOAL_RETURN_IF_ERROR(index(child->place).Name(child->place.number, &child->name));
  if (children.merged != nullptr) {
    SHOAL_RETURN_IF_ERROR(children.merged->IsHidden(child->place, child->name, &child->hidden));
    if (child->hidden) return Status();
  }
  SHOAL_RETURN_IF_ERROR(index(child->place).Resolve(child->place.number, &child->entry));
  const bool may_merge = children.merged != nullptr && child->entry.IsDirectory();
  return may_merge ? Merge(*children.merged, child->name, child->place) : Status();
}

Status Tree::IsReachable(const Place& place, const Entry& entry, bool* out) {
  *out = whole_ || (!entry.IsDirectory() && entry.nlink > 1);
  if (*out) return Status();
  uint32_t root = IndexView::kNone;
  for (const Part& part : root_parts_) {
    if (part.place.layer == place.layer) root = part.place.number;
  }
  std::vector<std::string> names;
  // Ends, because a parent's number is lower than its child's. kNone, where the layer has no part in the root, is
  // above all.
  for (uint32_t number = place.number; number != root;) {
    if (number < root) return Status();
    std::string_view name;
    SHOAL_RETURN_IF_ERROR(index(place).Name(number, &name));
    names.emplace_back(name);
    SHOAL_RETURN_IF_ERROR(index(place).Parent(number, &number));
  }
  Place at = root_;
  Entry step;
  SHOAL_RETURN_IF_ERROR(index(at).Get(at.number, &step));
  for (size_t i = names.size(); i-- > 0;) {
    Place found;
    SHOAL_RETURN_IF_ERROR(Lookup(at, Entry(step), names[i], &found, &step));
    if (!found.exists()) return Status();
    at = found;
  }
  *out = at == place;
  return Status();
}

MergedDirectory* Tree::MergedAt(const Place& at) const {
  if (layers_.size() == 1) return nullptr;
  MergedDirectory* const merged = known_.Find(Pack(at));
  // A lower part is no directory of its own; only a damaged index, or a made-up handle, leads there.
  return merged != nullptr && merged != &alone_ && merged->top() == at ? merged : nullptr;
}

// Finds out of which parts a child directory consists, before its node is given out for the first time.
Status Tree::Merge(const MergedDirectory& parent, std::string_view name, const Place& child) {
  if (known_.Find(Pack(child)) != nullptr) return Status();
  // Of a name in a map from which storage takes a page meanwhile, all parts see the same bytes.
  const std::string copy(name);
  std::vector<Part> parts;
  Entry first;
  SHOAL_RETURN_IF_ERROR(PartsOfChild(layers_, parent.parts(), copy, &first, &parts));
  // Another is found where an index has two children of one name; then each is a directory by itself.
  if (!parts.empty() && parts.front().place == child) Register(parts);
  return Status();
}

void Tree::Register(const std::vector<Part>& parts) {
  std::lock_guard<std::mutex> lock(registering_);
  if (known_.Find(Pack(parts.front().place)) != nullptr) return;
  MergedDirectory* directory = &alone_;
  if (parts.size() > 1) {
    merged_.push_back(std::make_unique<MergedDirectory>(layers_, parts));
    directory = merged_.back().get();
  }
  // The first, by which it is found, comes last.
  for (size_t i = parts.size(); i-- > 0;) known_.Insert(Pack(parts[i].place), directory);
}

}  // namespace shoal
