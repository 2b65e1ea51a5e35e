// Problems of single entries, gathered from several threads and told in index order.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/catalogue.h"
#include "core/index_view.h"

namespace shoal {

class ProblemList {
 public:
  explicit ProblemList(const IndexView& index) : index_(index) {}

  // The path is the entry's.
  void Add(uint32_t entry, Code code, std::string message);
  // The message tells the status' path and offset as well.
  void Add(uint32_t entry, const Status& status);
  // Of something at `path` that is no entry; told after the problems of `entry`.
  void AddAt(uint32_t entry, std::string path, Code code, std::string message);

  // Sorted by entry; problems of one entry in the order of their coming. The list is then empty.
  std::vector<Problem> Take();

 private:
  const IndexView& index_;
  std::mutex mutex_;
  std::vector<std::pair<uint64_t, Problem>> problems_;
};

// An entry's path as a user writes it: "." for the root; "?" stands for what a damaged index does not tell.
std::string ShownEntry(const IndexView& index, uint32_t entry);

// Bytes for a message: in quotes, cut off after 128, what is not printable ASCII as \xNN.
std::string Quoted(std::string_view bytes);

}  // namespace shoal
