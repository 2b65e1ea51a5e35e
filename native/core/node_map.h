// Finds what belongs to a node while others insert: readers neither lock nor wait. Nothing is ever taken out.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "process_seed.h"

namespace shoal {

template <typename Value>
class NodeMap {
 public:
  NodeMap() : multiplier_(ProcessSeed() | 1) { Grow(kFirstBits); }

  // Null where the node is not known. What was inserted before is seen whole.
  Value* Find(uint64_t node) const {
    const Table& table = *current_.load(std::memory_order_acquire);
    for (size_t i = (node * multiplier_) >> table.shift;; i = (i + 1) & table.mask) {
      const uint64_t found = table.slots[i].node.load(std::memory_order_acquire);
      if (found == node) return table.slots[i].value.load(std::memory_order_relaxed);
      if (found == 0) return nullptr;
    }
  }

  // One thread at a time. A node that is known keeps its value.
  // REQUIRES: neither is 0.
  void Insert(uint64_t node, Value* value) {
    if (Find(node) != nullptr) return;
    const Table& table = *tables_.back();
    if (used_ >= (table.mask + 1) / 4 * 3) Grow(64 - table.shift + 1);
    Put(*tables_.back(), node, value);
    used_++;
  }

 private:
  struct Slot {
    std::atomic<uint64_t> node{0};  // 0: free
    std::atomic<Value*> value{nullptr};
  };
  struct Table {
    explicit Table(uint32_t bits)
        : slots(new Slot[size_t{1} << bits]), mask((size_t{1} << bits) - 1), shift(64 - bits) {}
    const std::unique_ptr<Slot[]> slots;
    const size_t mask;
    const uint32_t shift;
  };
  static constexpr uint32_t kFirstBits = 6;

  void Put(const Table& table, uint64_t node, Value* value) {
    size_t i = (node * multiplier_) >> table.shift;
    while (table.slots[i].node.load(std::memory_order_relaxed) != 0) i = (i + 1) & table.mask;
    table.slots[i].value.store(value, std::memory_order_relaxed);
    table.slots[i].node.store(node, std::memory_order_release);
  }

  // Readers may still be in the table before, so it stays: all former ones together are smaller than the present one.
  void Grow(uint32_t bits) {
    auto table = std::make_unique<const Table>(bits);
    if (!tables_.empty()) {
      const Table& former = *tables_.back();
      for (size_t i = 0; i <= former.mask; i++) {
        const uint64_t node = former.slots[i].node.load(std::memory_order_relaxed);
        if (node != 0) Put(*table, node, former.slots[i].value.load(std::memory_order_relaxed));
      }
    }
    tables_.push_back(std::move(table));
    current_.store(tables_.back().get(), std::memory_order_release);
  }

  const uint64_t multiplier_;
  std::vector<std::unique_ptr<const Table>> tables_;
  std::atomic<const Table*> current_{nullptr};
  size_t used_ = 0;
};

}  // namespace shoal
