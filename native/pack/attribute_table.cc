#include "pack/attribute_table.h"

#include <cstring>

namespace shoal {
namespace {

static_assert(sizeof(AttributesRow) == 20, "no padding: rows are compared by their bytes");

std::string KeyOf(const AttributesRow& row) { return std::string(reinterpret_cast<const char*>(&row), sizeof row); }

}  // namespace

uint32_t AttributeTable::AddSet(std::string set) {
  std::lock_guard<std::mutex> lock(mutex_);
  auto added = set_numbers_.emplace(std::move(set), static_cast<uint32_t>(sets_.size()));
  if (added.second) sets_.push_back(&added.first->first);
  return added.first->second;
}

uint32_t AttributeTable::AddRow(const AttributesRow& row) {
  std::lock_guard<std::mutex> lock(mutex_);
  auto added = row_numbers_.emplace(KeyOf(row), static_cast<uint32_t>(rows_.size()));
  if (added.second) rows_.push_back(row);
  return added.first->second;
}

uint32_t AttributeCache::AddRow(const AttributesRow& row) {
  if (last_number_ != 0xFFFFFFFF && std::memcmp(&row, &last_, sizeof row) == 0) return last_number_;
  // Every file may have attributes of its own (owners, xattrs): then the cache only costs memory.
  constexpr size_t kMaxCached = 65536;
  if (numbers_.size() >= kMaxCached) numbers_.clear();
  auto added = numbers_.emplace(KeyOf(row), 0);
  if (added.second) added.first->second = table_->AddRow(row);
  last_ = row;
  last_number_ = added.first->second;
  return last_number_;
}

}  // namespace shoal
