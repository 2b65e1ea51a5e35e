#include "pack/walker.h"

#include <algorithm>

#include "pack/assemble.h"

namespace shoal {

Walker::Walker(const WalkOptions& options, std::vector<Source> sources, Exclusion exclusion, FileList list,
               GrowingThreads* threads, Progress* progress)
    : options_(options),
      sources_(std::move(sources)),
      exclusion_(std::move(exclusion)),
      list_(std::move(list)),
      threads_(threads),
      progress_(progress) {}

void Walker::Begin() {
  Listing& top = listings_.emplace_back();
  for (const Source& source : sources_) {
    top.name_offsets.push_back(static_cast<uint32_t>(top.names.size()));
    top.names.append(source.absolute).push_back('\0');
  }
  top.parts.resize((top.size() + Listing::kPartLength - 1) / Listing::kPartLength);
  for (uint32_t part = 0; part < top.parts.size(); part++) Push({0, part});
}

Status Walker::Finish(Walked* out) {
  if (Stopped()) return Status(Code::kCancelled, "cancelled while the tree was walked");
  SHOAL_RETURN_IF_ERROR(failure_);
  *out = std::move(found_);
  for (std::vector<Problem>* problems : {&out->skipped, &out->notices, &out->unreadable}) {
    std::sort(problems->begin(), problems->end(), [](const Problem& a, const Problem& b) { return a.path < b.path; });
  }
  out->catalogue = std::make_shared<PackCatalogue>();
  out->catalogue->skips_unreadable = options_.skip_unreadable;
  out->catalogue->complete = options_.skip_unreadable || out->unreadable.empty();
  return Assemble(&listings_, &attributes_, sources_, options_.measures_space, out->catalogue.get());
}

Listing& Walker::At(uint32_t number) const {
  std::lock_guard<std::mutex> lock(mutex_);
  return listings_[number];
}

uint32_t Walker::AddListing(uint32_t parent, uint32_t child, uint64_t device, bool entered) {
  std::lock_guard<std::mutex> lock(mutex_);
  const auto number = static_cast<uint32_t>(listings_.size());
  Listing& listing = listings_.emplace_back();
  const Listing& above = listings_[parent];
  listing.parent = parent;
  listing.child = child;
  listing.device = device;
  if (options_.files && (parent == 0 || above.is_listed)) {
    listing.listed = parent == 0 ? list_.All() : list_.Below(above.listed, above.name_view(child));
    listing.is_listed = !list_.IsWhole(listing.listed);
  }
  if (!entered) return number;
  tasks_.push_back({number, WalkTask::kList});
  unfinished_++;
  more_.notify_one();
  return number;
}

void Walker::Push(WalkTask task) {
  std::lock_guard<std::mutex> lock(mutex_);
  tasks_.push_back(task);
  unfinished_++;
  more_.notify_one();
}

bool Walker::Take(WalkTask* task) {
  std::unique_lock<std::mutex> lock(mutex_);
  if (tasks_.empty() && unfinished_ > 0) {
    const GrowingThreads::Idle idle(threads_);
    more_.wait(lock, [this] { return !tasks_.empty() || unfinished_ == 0; });
  }
  if (tasks_.empty() || !failure_.ok() || Stopped()) {
    unfinished_ = 0;
    tasks_.clear();
    more_.notify_all();
    return false;
  }
  *task = tasks_.back();
  tasks_.pop_back();
  return true;
}

void Walker::Done() {
  std::lock_guard<std::mutex> lock(mutex_);
  if (unfinished_ > 0 && --unfinished_ == 0) more_.notify_all();
}

void Walker::Fail(Status status) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (failure_.ok()) failure_ = std::move(status);
}

void Walker::Report(Kind kind, Code code, std::string path, const std::string& message) {
  std::lock_guard<std::mutex> lock(mutex_);
  std::vector<Problem>& problems = kind == Kind::kSkipped  ? found_.skipped
                                   : kind == Kind::kNotice ? found_.notices
                                                           : found_.unreadable;
  problems.push_back({code, std::move(path), message});
}

void Walker::CountExcluded(uint64_t names) {
  std::lock_guard<std::mutex> lock(mutex_);
  found_.excluded += names;
}

std::string Walker::PathOf(uint32_t listing, uint32_t child) const {
  std::vector<std::string_view> below;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    for (; listing != 0; child = listings_[listing].child, listing = listings_[listing].parent) {
      below.push_back(listings_[listing].name_view(child));
    }
  }
  std::string path = sources_[child].given;
  for (size_t i = below.size(); i-- > 0;) {
    if (path.back() != '/') path.push_back('/');
    path.append(below[i]);
  }
  return path;
}

std::string Walker::PathOf(std::string_view below) const {
  std::string path = sources_[0].given;
  if (path.back() != '/') path.push_back('/');
  return path.append(below);
}

std::vector<std::string_view> Walker::Components(uint32_t listing) const {
  std::vector<std::string_view> names;
  {
    // Once for the whole way: it may have ten thousand steps.
    std::lock_guard<std::mutex> lock(mutex_);
    for (uint32_t at = listing; listings_[at].parent != 0; at = listings_[at].parent) {
      names.push_back(listings_[listings_[at].parent].name_view(listings_[at].child));
    }
  }
  std::reverse(names.begin(), names.end());
  return names;
}

Status Walker::ParentOf(uint32_t directory, uint32_t* parent, std::string* name) const {
  const Listing& listing = At(directory);
  if (listing.parent == 0) {
    *parent = kTop;
  } else {
    *parent = listing.parent;
    *name = At(listing.parent).name(listing.child);
  }
  return Status();
}

Status Walker::OpenTop(uint32_t directory, UniqueFd* fd) const {
  return OpenSourceDirectory(sources_[At(directory).child], fd);
}

}  // namespace shoal
