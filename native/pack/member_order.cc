#include "pack/member_order.h"

#include <algorithm>
#include <string>

#include "core/entry_path.h"
#include "pack/path_list.h"
#include "pack/sample.h"

namespace shoal {

MemberOrder::MemberOrder(const PackCatalogue* catalogue, bool samples) : catalogue_(*catalogue), samples_(samples) {
  for (uint32_t entry = 0; entry < catalogue_.size(); entry++) {
    if (catalogue_.IsAlias(entry)) aliases_.emplace_back(static_cast<uint32_t>(catalogue_.offsets[entry]), entry);
    if (catalogue_.IsCopy(entry)) copies_.emplace_back(catalogue_.originals[entry], entry);
  }
  std::sort(aliases_.begin(), aliases_.end());
  std::sort(copies_.begin(), copies_.end());
}

Status MemberOrder::Run(const PlanOptions& options, std::vector<uint32_t>* members, Strays* strays) {
  members_ = members;
  members->reserve(catalogue_.size());
  added_.assign(catalogue_.size(), false);
  if (!options.order_file.empty()) SHOAL_RETURN_IF_ERROR(AddListed(options, strays));
  for (uint32_t entry = 0; entry < catalogue_.size(); entry++) {
    if (!catalogue_.IsDirectory(entry)) AddUnit(entry);
  }
  return Status();
}

Status MemberOrder::AddListed(const PlanOptions& options, Strays* strays) {
  PathList list;
  SHOAL_RETURN_IF_ERROR(list.Open(options.order_file, options.order_end));
  std::string path, normal;
  for (bool found;;) {
    SHOAL_RETURN_IF_ERROR(list.Next(&path, &found));
    if (!found) return Status();
    uint32_t entry = Catalogue::kNone;
    if (NormalizeEntryPath(path, &normal) == nullptr) entry = catalogue_.Find(normal);
    if (entry != Catalogue::kNone && !catalogue_.IsDirectory(entry)) {
      AddUnit(entry);
    } else if (strays->count++ < Strays::kNamed) {
      strays->first.push_back(path);
    }
  }
}

// Adds what stands together with `entry`, unless it was added before.
void MemberOrder::AddUnit(uint32_t entry) {
  if (catalogue_.IsAlias(entry)) entry = static_cast<uint32_t>(catalogue_.offsets[entry]);
  if (catalogue_.IsCopy(entry)) entry = catalogue_.originals[entry];
  if (added_[entry]) return;
  uint32_t first = entry;
  uint32_t end = entry + 1;
  if (samples_) {  // names are sorted, so a sample's entries stand together
    while (first > 1 && IsSameSample(catalogue_, entry, first - 1)) first--;
    while (end < catalogue_.size() && IsSameSample(catalogue_, entry, end)) end++;
  }
  const size_t leaders = members_->size();
  for (uint32_t member = first; member < end; member++) {
    if (catalogue_.IsDirectory(member) || catalogue_.IsAlias(member) || catalogue_.IsCopy(member)) continue;
    added_[member] = true;
    members_->push_back(member);
  }
  const size_t leaders_end = members_->size();
  for (size_t i = leaders; i < leaders_end; i++) AddAliases((*members_)[i]);
  for (size_t i = leaders; i < leaders_end; i++) AddCopies((*members_)[i]);
}

void MemberOrder::AddAliases(uint32_t target) {
  auto pair = std::lower_bound(aliases_.begin(), aliases_.end(), std::make_pair(target, 0U));
  for (; pair != aliases_.end() && pair->first == target; ++pair) members_->push_back(pair->second);
}

void MemberOrder::AddCopies(uint32_t original) {
  auto pair = std::lower_bound(copies_.begin(), copies_.end(), std::make_pair(original, 0U));
  for (; pair != copies_.end() && pair->first == original; ++pair) {
    members_->push_back(pair->second);
    AddAliases(pair->second);
  }
}

}  // namespace shoal
