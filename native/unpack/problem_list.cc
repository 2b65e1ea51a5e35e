#include "unpack/problem_list.h"

#include <algorithm>

namespace shoal {

void ProblemList::Add(uint32_t entry, Code code, std::string message) {
  AddAt(entry, ShownEntry(index_, entry), code, std::move(message));
}

void ProblemList::Add(uint32_t entry, const Status& status) {
  std::string message = status.message();
  if (!status.path().empty()) {
    message += " (" + status.path();
    if (status.offset() >= 0) message += " at offset " + std::to_string(status.offset());
    message += ")";
  }
  Add(entry, status.code(), std::move(message));
}

void ProblemList::AddAt(uint32_t entry, std::string path, Code code, std::string message) {
  Problem problem{code, std::move(path), std::move(message)};
  std::lock_guard<std::mutex> lock(mutex_);
  problems_.emplace_back(entry, std::move(problem));
}

std::vector<Problem> ProblemList::Take() {
  std::lock_guard<std::mutex> lock(mutex_);
  std::stable_sort(problems_.begin(), problems_.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<Problem> problems;
  problems.reserve(problems_.size());
  for (auto& numbered : problems_) problems.push_back(std::move(numbered.second));
  problems_.clear();
  return problems;
}

std::string ShownEntry(const IndexView& index, uint32_t entry) {
  if (entry == 0) return ".";
  std::string path;
  return index.Path(entry, &path).ok() ? path : "?";
}

std::string Quoted(std::string_view bytes) {
  constexpr size_t kLimit = 128;
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text = "\"";
  for (unsigned char byte : bytes.substr(0, kLimit)) {
    if (byte >= 0x20 && byte < 0x7F && byte != '"' && byte != '\\') {
      text.push_back(static_cast<char>(byte));
    } else {
      text += {'\\', 'x', kDigits[byte >> 4], kDigits[byte & 15]};
    }
  }
  return text + (bytes.size() > kLimit ? "\"…" : "\"");
}

}  // namespace shoal
