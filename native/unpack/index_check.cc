#include "unpack/index_check.h"

#include <algorithm>
#include <atomic>
#include <string>

#include "core/run_threads.h"

namespace shoal {
namespace {

// An index with more contradictions was not written by a tool with one mistake; listing them all would help nobody.
constexpr uint64_t kMaxProblems = 1000;
// Entries that a thread takes at once.
constexpr uint32_t kRange = 4096;
// Entries between two looks at the cancel flag.
constexpr uint32_t kCancelInterval = 65536;

struct DirectorySums {
  uint32_t entry = 0;
  uint32_t first_child = 0;
  uint32_t parent_row = 0;
  uint64_t bytes = 0;
  uint64_t entries = 0;
};

class IndexCheck {
 public:
  IndexCheck(const IndexView& index, const Progress& progress, ProblemList* problems, IndexSummary* out)
      : index_(index), progress_(progress), problems_(*problems), out_(*out) {}

  Status Run(unsigned jobs) {
    SHOAL_RETURN_IF_ERROR(index_.CheckBlocks());
    SHOAL_RETURN_IF_ERROR(SurveyEntries());
    CheckSums();
    Status status = RunThreads(jobs, [this](unsigned) { CheckRanges(); });
    if (!status.ok()) return status;
    if (Cancelled()) return Status(Code::kCancelled, "cancelled before it was done");
    if (found_ <= kMaxProblems) return Status();
    return Status(Code::kMalformed, "expected an index without contradictions, found more than " +
                                        std::to_string(kMaxProblems) + "; make it anew from the volumes")
        .At(index_.path());
  }

 private:
  // In entry order: children of one directory follow those of the one before, so the parent of each entry is known
  // without a search.
  Status SurveyEntries() {
    uint32_t next_child = 1;  // where the next directory's children must begin
    size_t parent_row = 0;
    uint32_t parent_end = 1;
    for (uint32_t number = 0; number < index_.entry_count(); number++) {
      if (number % kCancelInterval == 0 && Cancelled()) break;
      Entry entry;
      Status status = index_.Get(number, &entry);
      if (!status.ok()) {
        Found(number, status);
        continue;
      }
      while (number != 0 && number >= parent_end && parent_row + 1 < directories_.size()) {
        parent_row++;
        parent_end = directories_[parent_row].first_child + static_cast<uint32_t>(directories_[parent_row].entries);
      }
      if (number != 0 && number >= parent_end) {
        return Status(Code::kMalformed, "expected each entry in a directory, found entry " + std::to_string(number) +
                                            " in none; make the index anew from the volumes")
            .At(index_.path());
      }
      if (entry.IsDirectory()) {
        if (entry.first_child != next_child) {
          Found(number, Code::kMalformed,
                "expected children from entry " + std::to_string(next_child) + " on, found from " +
                    std::to_string(entry.first_child));
        }
        DirectorySums sums;
        sums.entry = number;
        sums.first_child = next_child;
        sums.parent_row = static_cast<uint32_t>(parent_row);
        sums.entries = entry.child_count;
        directories_.push_back(sums);
        next_child += entry.child_count;
        if (number == 0) parent_end = next_child;
        if (entry.parent != directories_[parent_row].entry) {
          Found(number, Code::kMalformed,
                "expected parent " + std::to_string(directories_[parent_row].entry) + ", found " +
                    std::to_string(entry.parent));
        }
      } else if (!entry.alias) {
        directories_[parent_row].bytes += entry.size;
        if (entry.IsFile()) {
          out_.files.push_back(number);
          out_.content_bytes += entry.size;
        }
      }
    }
    return Status();
  }

  // Directories stand before their children, so from the last to the first each is complete when its parent takes it.
  void CheckSums() {
    for (size_t row = directories_.size(); row-- > 0;) {
      const DirectorySums& sums = directories_[row];
      if (row > 0) {
        directories_[sums.parent_row].bytes += sums.bytes;
        directories_[sums.parent_row].entries += sums.entries;
      }
    }
    for (const DirectorySums& sums : directories_) {
      Entry entry;
      Totals totals;
      Status status = index_.Get(sums.entry, &entry);
      if (status.ok()) status = index_.DirectoryTotals(entry, &totals);
      if (!status.ok()) {
        Found(sums.entry, status);
      } else if (totals.bytes != sums.bytes || totals.entries != sums.entries) {
        Found(sums.entry, Code::kMalformed,
              "expected sums of " + std::to_string(sums.entries) + " entries and " + std::to_string(sums.bytes) +
                  " bytes, found " + std::to_string(totals.entries) + " and " + std::to_string(totals.bytes));
      }
    }
  }

  void CheckRanges() {
    for (;;) {
      uint64_t begin = next_range_.fetch_add(kRange);
      if (begin >= index_.entry_count() || Cancelled() || found_ > kMaxProblems) return;
      uint32_t end = static_cast<uint32_t>(std::min<uint64_t>(begin + kRange, index_.entry_count()));
      CheckRange(std::max<uint32_t>(1, static_cast<uint32_t>(begin)), end);
    }
  }

  void CheckRange(uint32_t begin, uint32_t end) {
    if (begin >= end) return;
    auto above = std::upper_bound(directories_.begin(), directories_.end(), begin,
                                  [](uint32_t number, const DirectorySums& sums) { return number < sums.first_child; });
    size_t row = static_cast<size_t>(above - directories_.begin()) - 1;
    Entry directory;
    Status found_directory = index_.Get(directories_[row].entry, &directory);
    uint32_t checked_xattrs = format::kNoXattrs;
    for (uint32_t number = begin; number < end; number++) {
      while (row + 1 < directories_.size() && directories_[row + 1].first_child <= number) {
        found_directory = index_.Get(directories_[++row].entry, &directory);
      }
      Status status = found_directory;
      if (status.ok()) status = CheckName(directory, number);
      if (status.ok()) status = CheckDetails(number, &checked_xattrs);
      if (!status.ok()) Found(number, status);
    }
  }

  Status CheckName(const Entry& directory, uint32_t number) {
    std::string_view name;
    SHOAL_RETURN_IF_ERROR(index_.Name(number, &name));
    if (number > directory.first_child) {
      std::string_view before;
      SHOAL_RETURN_IF_ERROR(index_.Name(number - 1, &before));
      if (before >= name) {
        return Status(Code::kMalformed, "expected names sorted and unique in a directory, found " + Quoted(name) +
                                            " behind " + Quoted(before));
      }
    }
    uint32_t found;
    SHOAL_RETURN_IF_ERROR(index_.Lookup(directory, name, &found));
    if (found == number) return Status();
    return Status(Code::kMalformed, "expected that a lookup of the name finds entry " + std::to_string(number) +
                                        ", found " +
                                        (found == IndexView::kNone ? "nothing" : "entry " + std::to_string(found)));
  }

  Status CheckDetails(uint32_t number, uint32_t* checked_xattrs) {
    Entry entry;
    SHOAL_RETURN_IF_ERROR(index_.Resolve(number, &entry));
    if (entry.IsSymlink()) {
      std::string_view target;
      SHOAL_RETURN_IF_ERROR(index_.LinkTarget(entry, &target));
    }
    if (entry.xattrs == format::kNoXattrs || entry.xattrs == *checked_xattrs) return Status();
    *checked_xattrs = entry.xattrs;
    std::vector<Xattr> xattrs;
    return index_.Xattrs(entry.xattrs, &xattrs);
  }

  void Found(uint32_t number, Code code, std::string message) {
    Found(number, Status(code, std::move(message)).At(index_.path()));
  }

  void Found(uint32_t number, const Status& status) {
    if (found_++ < kMaxProblems) problems_.Add(number, status);
  }

  bool Cancelled() const { return progress_.cancel.load(std::memory_order_relaxed) != 0; }

  const IndexView& index_;
  const Progress& progress_;
  ProblemList& problems_;
  IndexSummary& out_;
  std::vector<DirectorySums> directories_;  // in entry order; `entries` first counts children, then all below
  std::atomic<uint64_t> next_range_{0};
  std::atomic<uint64_t> found_{0};
};

}  // namespace

Status CheckIndex(const IndexView& index, unsigned jobs, const Progress& progress, ProblemList* problems,
                  IndexSummary* out) {
  return IndexCheck(index, progress, problems, out).Run(jobs);
}

}  // namespace shoal
