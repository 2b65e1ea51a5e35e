// What the threads of a walk share: the listings so far, the work to be done, and what was found amiss.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "core/growing_threads.h"
#include "core/progress.h"
#include "pack/attribute_table.h"
#include "pack/exclusion.h"
#include "pack/file_list.h"
#include "pack/listing.h"
#include "pack/walk.h"

namespace shoal {

struct WalkTask {
  static constexpr uint32_t kList = 0xFFFFFFFF;  // list the directory; else look at this part of its children
  uint32_t listing;
  uint32_t part;
};

// Listings stay where they are once made, and a listing's names stay as they are once it is listed.
class Walker : public DirectoryTree {
 public:
  enum class Kind { kSkipped, kNotice, kUnreadable };

  Walker(const WalkOptions& options, std::vector<Source> sources, Exclusion exclusion, FileList list,
         GrowingThreads* threads, Progress* progress);

  // Before the threads, and after them.
  void Begin();
  Status Finish(Walked* out);

  const WalkOptions& options() const { return options_; }
  const Exclusion& exclusion() const { return exclusion_; }
  const FileList& list() const { return list_; }
  AttributeTable* attributes() { return &attributes_; }
  GrowingThreads* threads() { return threads_; }
  Progress* progress() { return progress_; }
  bool Stopped() const { return progress_->cancel.load(std::memory_order_relaxed) != 0; }

  Listing& At(uint32_t number) const;
  // The directory `child` of the listing `parent`, with only what is listed where there is a list. It is listed only if
  // it is `entered`.
  uint32_t AddListing(uint32_t parent, uint32_t child, uint64_t device, bool entered);

  void Push(WalkTask task);
  // Waits for a task; false when there will be none.
  bool Take(WalkTask* task);
  void Done();
  void Fail(Status status);

  void Report(Kind kind, Code code, std::string path, const std::string& message);
  void CountExcluded(uint64_t names);
  // As the user would write it.
  std::string PathOf(uint32_t listing, uint32_t child) const;
  // The same of a path from the root of the one source.
  std::string PathOf(std::string_view below) const;
  // The names on the way from the source's root to the directory.
  std::vector<std::string_view> Components(uint32_t listing) const;

  Status ParentOf(uint32_t directory, uint32_t* parent, std::string* name) const override;
  Status OpenTop(uint32_t directory, UniqueFd* fd) const override;

 private:
  const WalkOptions& options_;
  const std::vector<Source> sources_;
  const Exclusion exclusion_;
  const FileList list_;
  GrowingThreads* const threads_;
  Progress* const progress_;
  AttributeTable attributes_;

  mutable std::mutex mutex_;
  std::condition_variable more_;
  // [0] stands above the sources: they are its children.
  mutable std::deque<Listing> listings_;
  std::vector<WalkTask> tasks_;  // taken from the end: depth first keeps the parents' descriptors at hand
  size_t unfinished_ = 0;
  Status failure_;
  Walked found_;  // all but the catalogue
};

}  // namespace shoal
