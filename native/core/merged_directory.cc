#include "core/merged_directory.h"

#include <algorithm>

namespace shoal {
namespace {

// Sets the flag for as long as this lives, if nobody else has.
class Claim {
 public:
  explicit Claim(std::atomic<bool>* flag) : flag_(flag), mine_(!flag->exchange(true, std::memory_order_acquire)) {}
  ~Claim() {
    if (mine_) flag_->store(false, std::memory_order_release);
  }
  Claim(const Claim&) = delete;
  Claim& operator=(const Claim&) = delete;
  bool mine() const { return mine_; }

 private:
  std::atomic<bool>* flag_;
  const bool mine_;
};

Status LookupIn(const Layers& layers, const Part& part, std::string_view name, Place* out) {
  const IndexView& index = IndexOf(layers, part.place);
  Entry directory;
  out->layer = part.place.layer;
  SHOAL_RETURN_IF_ERROR(index.Get(part.place.number, &directory));
  return index.Lookup(directory, name, &out->number);
}

}  // namespace

Status PartsOfChild(const Layers& layers, const std::vector<Part>& parts, std::string_view name, Entry* entry,
                    std::vector<Part>* out) {
  out->clear();
  for (const Part& part : parts) {
    Part child;
    Entry found;
    SHOAL_RETURN_IF_ERROR(LookupIn(layers, part, name, &child.place));
    if (!child.place.exists()) continue;
    SHOAL_RETURN_IF_ERROR(IndexOf(layers, child.place).Resolve(child.place.number, &found));
    if (!out->empty() && !found.IsDirectory()) return Status();
    if (out->empty()) *entry = found;
    child.first_child = found.first_child;
    child.child_count = found.child_count;
    out->push_back(child);
    if (!found.IsDirectory()) return Status();
  }
  return Status();
}

MergedDirectory::MergedDirectory(const Layers& layers, std::vector<Part> parts)
    : layers_(layers), parts_(std::move(parts)), starts_(1, 0) {
  for (const Part& part : parts_) starts_.push_back(starts_.back() + part.child_count);
}

Status MergedDirectory::Lookup(std::string_view name, Place* out) {
  const ChildTable* table = Table();
  if (table != nullptr) return table->Find(layers_, name, out);
  return Search(name, static_cast<uint32_t>(kMaxLayers), out);
}

Place MergedDirectory::At(uint64_t position) const {
  const size_t part =
      static_cast<size_t>(std::upper_bound(starts_.begin(), starts_.end(), position) - starts_.begin()) - 1;
  Place child = parts_[part].place;
  child.number = parts_[part].first_child + static_cast<uint32_t>(position - starts_[part]);
  return child;
}

Status MergedDirectory::IsHidden(const Place& child, std::string_view name, bool* out) {
  *out = false;
  if (child.layer == top().layer) return Status();
  Place shown;
  const ChildTable* table = Table();
  SHOAL_RETURN_IF_ERROR(table != nullptr ? table->Find(layers_, name, &shown) : Search(name, child.layer, &shown));
  *out = shown.exists() && shown.layer < child.layer;
  return Status();
}

// The table, if there is one or it is this thread's turn to build it. One that cannot be built, because a name in it is
// damaged, is tried again after as many probes: until then what is not damaged is found all the same.
const ChildTable* MergedDirectory::Table() {
  const ChildTable* table = table_.load(std::memory_order_acquire);
  if (table != nullptr || probes_.load(std::memory_order_relaxed) < positions()) return table;
  const Claim claim(&building_);
  if (!claim.mine()) return nullptr;
  table = table_.load(std::memory_order_acquire);
  if (table != nullptr) return table;
  probes_.store(0, std::memory_order_relaxed);
  if (!ChildTable::Build(layers_, parts_, &owned_).ok()) return nullptr;
  table_.store(owned_.get(), std::memory_order_release);
  return owned_.get();
}

// In the parts above layer `below`.
Status MergedDirectory::Search(std::string_view name, uint32_t below, Place* out) {
  *out = Place();
  uint64_t probes = 0;
  Status status;
  for (const Part& part : parts_) {
    if (part.place.layer >= below || out->exists() || !status.ok()) break;
    status = LookupIn(layers_, part, name, out);
    probes++;
  }
  probes_.fetch_add(probes, std::memory_order_relaxed);
  return status;
}

}  // namespace shoal
