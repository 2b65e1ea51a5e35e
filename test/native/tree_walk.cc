// Walks the trees that images make, with several threads at once on one that nobody has asked before.
//   tree_walk [--count]   lines `SUBDIR INDEX...` on stdin, the first in hexadecimal digits or `-`; no spaces in paths
// Prints for each the entries, one a line, sorted: path in hexadecimal digits, layer, number, and `m`, `d` or `-` for a
// merged directory, another one, or no directory; with --count only how many. Then a line `end`, or the code of the
// error. What contradicts itself is printed, too: a listing and a lookup, an entry and its parent, a handle and a path,
// a thread and another.
#include <algorithm>
#include <atomic>
#include <cinttypes>
#include <cstdio>
#include <iostream>
#include <set>
#include <sstream>
#include <thread>

#include "core/tree.h"

namespace {

using shoal::Entry;
using shoal::Place;
using shoal::Status;
using shoal::Tree;

constexpr unsigned kThreads = 4;
constexpr int kRounds = 2;  // one begins without tables, the next has those of directories that were used

std::string Hex(std::string_view bytes) {
  std::string text;
  char digits[3];
  for (const char byte : bytes) {
    std::snprintf(digits, sizeof digits, "%02x", static_cast<unsigned char>(byte));
    text += digits;
  }
  return text;
}

std::string FromHex(const std::string& text) {
  std::string bytes;
  for (size_t i = 0; i + 1 < text.size(); i += 2) bytes += static_cast<char>(std::stoi(text.substr(i, 2), nullptr, 16));
  return bytes;
}

class Walk {
 public:
  // `lookups_first`: names are asked for that the directory does not have before it is listed. `count`: no lines.
  Walk(Tree& tree, bool lookups_first, bool count) : tree_(tree), lookups_first_(lookups_first), count_(count) {
    Place root;
    Entry entry;
    if (!tree.Find(Tree::kRoot, &root) || !Note(tree.index(root).Get(root.number, &entry))) return;
    Visit("", root, root, entry);
    std::sort(lines_.begin(), lines_.end());
  }

  size_t entries() const { return entries_; }
  const std::vector<std::string>& lines() const { return lines_; }
  const std::set<uint64_t>& shown() const { return shown_; }
  const std::set<std::string>& faults() const { return faults_; }

 private:
  bool Note(const Status& status) {
    if (!status.ok()) faults_.insert(std::string(CodeName(status.code())) + " " + status.message());
    return status.ok();
  }
  void Expect(bool holds, const std::string& what) {
    if (!holds) faults_.insert(what);
  }

  void AskForMissing(const Place& at, const Entry& directory) {
    for (const char* name : {"no such name", "", "x~"}) {
      Place found;
      Entry entry;
      if (Note(tree_.Lookup(at, directory, name, &found, &entry))) Expect(!found.exists(), "a name that is not there");
    }
  }

  // `place` as the directory has it, `entry` resolved.
  void Visit(const std::string& path, const Place& parent, const Place& place, const Entry& entry) {
    entries_++;
    if (!count_) {
      const bool merged = entry.IsDirectory() && tree_.IsMerged(place);
      lines_.push_back(Hex(path) + " " + std::to_string(place.layer) + " " + std::to_string(place.number) +
                       (merged                ? " m"
                        : entry.IsDirectory() ? " d"
                                              : " -"));
      shown_.insert(uint64_t{place.layer} << 32 | place.number);
    }
    Place again;
    const Place resolved{place.layer, entry.number};
    Expect(tree_.Find(tree_.NodeOf(resolved), &again) && again == resolved, "an entry and its node");
    if (!entry.IsDirectory()) return;
    Expect(tree_.Parent(place, entry) == parent, "a directory and its parent");
    if (lookups_first_) AskForMissing(place, entry);
    const Tree::Children children = tree_.List(place, entry);
    for (uint64_t position = 0; position < children.positions; position++) {
      Tree::Child child;
      if (!Note(tree_.At(children, position, &child)) || child.hidden) continue;
      const std::string name(child.name);
      Place found;
      Entry looked_up;
      if (Note(tree_.Lookup(place, entry, name, &found, &looked_up))) {
        Expect(found == child.place && looked_up.number == child.entry.number, "a listing and a lookup");
      }
      Visit(path.empty() ? name : path + "/" + name, place, child.place, child.entry);
    }
    if (!lookups_first_) AskForMissing(place, entry);
  }

  Tree& tree_;
  const bool lookups_first_;
  const bool count_;
  size_t entries_ = 0;
  std::vector<std::string> lines_;
  std::set<uint64_t> shown_;
  std::set<std::string> faults_;
};

// Every entry of every layer, asked for by its handle, is there exactly if it is shown.
std::set<std::string> CheckHandles(Tree& tree, const std::set<uint64_t>& shown) {
  std::set<std::string> wrong;
  for (uint32_t layer = 0; layer < tree.layers().size(); layer++) {
    const shoal::IndexView& index = tree.layers()[layer]->index();
    for (uint32_t number = 0; number < index.entry_count(); number++) {
      Entry entry;
      bool reachable = false;
      if (!index.Get(number, &entry).ok() || entry.alias || (!entry.IsDirectory() && entry.nlink > 1)) continue;
      const Status status = tree.IsReachable({layer, number}, entry, &reachable);
      if (status.ok() && reachable == (shown.count(uint64_t{layer} << 32 | number) != 0)) continue;
      wrong.insert("handle of " + std::to_string(layer) + " " + std::to_string(number));
    }
  }
  return wrong;
}

Status Check(const std::vector<std::string>& indexes, const std::string& subdir, bool count) {
  std::unique_ptr<Tree> tree;
  SHOAL_RETURN_IF_ERROR(Tree::Open(indexes, subdir, shoal::ReadOptions(), &tree));
  std::vector<std::vector<std::string>> lines(kThreads);
  std::vector<std::set<std::string>> faults(kThreads);
  std::vector<size_t> entries(kThreads);
  std::set<uint64_t> shown;
  std::atomic<unsigned> ready{0};
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < kThreads; i++) {
    threads.emplace_back([&, i] {
      for (ready++; ready < kThreads;) std::this_thread::yield();
      for (int round = 0; round < kRounds; round++) {
        const Walk walk(*tree, i % 2 != 0, count);
        faults[i].insert(walk.faults().begin(), walk.faults().end());
        if (round > 0 && (walk.entries() != entries[i] || walk.lines() != lines[i]))
          faults[i].insert("one round is not as the other");
        entries[i] = walk.entries();
        lines[i] = walk.lines();
        if (i == 0) shown = walk.shown();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (unsigned i = 0; i < kThreads; i++) {
    if (entries[i] != entries[0] || lines[i] != lines[0]) faults[i].insert("one thread saw what another did not");
    for (const std::string& fault : faults[i]) std::printf("contradiction: %s\n", fault.c_str());
  }
  if (count) {
    std::printf("%zu\n", entries[0]);
    return Status();
  }
  for (const std::string& line : lines[0]) std::printf("%s\n", line.c_str());
  std::unique_ptr<Tree> fresh;
  SHOAL_RETURN_IF_ERROR(Tree::Open(indexes, subdir, shoal::ReadOptions(), &fresh));
  for (const std::string& wrong : CheckHandles(*fresh, shown)) std::printf("contradiction: %s\n", wrong.c_str());
  return Status();
}

}  // namespace

int main(int argc, char** argv) {
  const bool count = argc > 1 && std::string(argv[1]) == "--count";
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream words(line);
    std::string subdir;
    words >> subdir;
    std::vector<std::string> indexes;
    for (std::string index; words >> index;) indexes.push_back(index);
    const Status status = Check(indexes, subdir == "-" ? "" : FromHex(subdir), count);
    std::printf("%s\n", status.ok() ? "end" : CodeName(status.code()));
    std::fflush(stdout);
  }
  return 0;
}
