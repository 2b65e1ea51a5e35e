// Attributes and sets of extended attributes that many entries share, found during the walk by several threads.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/catalogue.h"

namespace shoal {

// Rows and sets are numbered as they are found; the catalogue numbers them anew by first use, so the numbers here may
// depend on timing.
class AttributeTable {
 public:
  // The number of this set, encoded as FORMAT §4.6.
  uint32_t AddSet(std::string set);
  // The number of this row; its `xattrs` is the number of a set, or kNoXattrs.
  uint32_t AddRow(const AttributesRow& row);

  // After the threads have ended.
  const AttributesRow& row(uint32_t number) const { return rows_[number]; }
  const std::string& set(uint32_t number) const { return *sets_[number]; }
  size_t row_count() const { return rows_.size(); }
  size_t set_count() const { return sets_.size(); }

 private:
  std::mutex mutex_;
  std::vector<AttributesRow> rows_;
  std::unordered_map<std::string, uint32_t> row_numbers_;  // by the row's bytes
  std::vector<const std::string*> sets_;                   // keys of set_numbers_
  std::unordered_map<std::string, uint32_t> set_numbers_;
};

// A thread's way to the table: most rows repeat, and need no lock then.
class AttributeCache {
 public:
  explicit AttributeCache(AttributeTable* table) : table_(table) {}
  uint32_t AddRow(const AttributesRow& row);
  uint32_t AddSet(std::string set) { return table_->AddSet(std::move(set)); }

 private:
  AttributeTable* table_;
  AttributesRow last_;
  uint32_t last_number_ = 0xFFFFFFFF;
  std::unordered_map<std::string, uint32_t> numbers_;
};

}  // namespace shoal
