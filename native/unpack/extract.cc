#include "unpack/extract.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <mutex>
#include <utility>

#include "core/run_threads.h"
#include "unpack/content_reader.h"
#include "unpack/extract_plan.h"
#include "unpack/extract_target.h"
#include "unpack/file_writer.h"
#include "unpack/metadata_writer.h"
#include "unpack/problem_list.h"

namespace shoal {
namespace {

// Nodes or links that a thread takes at once.
constexpr size_t kRange = 64;

class Extraction {
 public:
  Extraction(const Image& image, int root, const std::string& directory, unsigned jobs, Progress* progress)
      : image_(image),
        index_(image.index()),
        jobs_(jobs),
        progress_(*progress),
        problems_(index_),
        // Two parts for each thread: a link needs the directory of either of its ends.
        target_(index_, root, directory, 2 * jobs),
        metadata_(index_, &problems_) {}

  Status Run(const std::vector<std::string>& paths, ExtractOutcome* out) {
    SHOAL_RETURN_IF_ERROR(MakeExtractPlan(index_, paths, &problems_, &plan_));
    progress_.entries_total = plan_.entries;
    progress_.bytes_total = plan_.bytes;

    MakeDirectories();
    SHOAL_RETURN_IF_ERROR(Ended());
    ContentReader reader(image_, &progress_);
    FileWriter writer(plan_, metadata_, &target_, &reader, &problems_, &progress_);
    GrowingThreads threads(jobs_);
    SHOAL_RETURN_IF_ERROR(reader.Run(plan_.files, &threads, &writer));
    SHOAL_RETURN_IF_ERROR(
        Each(plan_.nodes, [this](unsigned worker, const Placed& node) { return MakeNode(worker, node); }));
    SHOAL_RETURN_IF_ERROR(
        Each(plan_.links, [this](unsigned worker, const Placed& link) { return MakeLink(worker, link); }));
    // Only now: making entries changes a directory's mtime, and needs a mode that lets us.
    FinishDirectories();

    out->entries = done_ + writer.files();
    out->bytes = writer.bytes();
    out->problems = problems_.Take();
    return Status();
  }

 private:
  using Placed = ExtractPlan::Placed;

  void MakeDirectories() {
    made_.resize(plan_.directories.size());
    for (size_t i = 0; i < plan_.directories.size() && Ended().ok(); i++) {
      const auto& [number, selected] = plan_.directories[i];
      bool made = false;
      if (number == 0 || Note(number, MakeDirectory(number, selected, &made))) {
        if (selected) Count();
        made_[i] = made;
      }
    }
  }

  Status MakeDirectory(uint32_t number, bool selected, bool* made) {
    int parent;
    std::string name;
    SHOAL_RETURN_IF_ERROR(target_.OpenParent(0, number, &parent, &name));
    *made = mkdirat(parent, name.c_str(), 0700) == 0;
    if (*made) return Status();
    if (errno != EEXIST) return Status::FromErrno("cannot make the directory", "", errno);
    const UniqueFd fd(openat(parent, name.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    struct stat old;
    if (fd.valid() && fstat(fd.get(), &old) == 0) {
      // One that was extracted before may be read-only; it gets its mode again at the end.
      const bool ours = selected && old.st_uid == geteuid();
      if (ours && (old.st_mode & 0700) != 0700) {
        chmod(("/proc/self/fd/" + std::to_string(fd.get())).c_str(), (old.st_mode & 07777) | 0700);
      }
      return Status();
    }
    return Status(
        Code::kExists,
        "expected a directory or nothing in its place, found something else, which is not followed; remove it. "
        "Nothing below it is extracted");
  }

  void FinishDirectories() {
    for (size_t i = plan_.directories.size(); i-- > 0;) {
      const auto& [number, selected] = plan_.directories[i];
      if (!selected && made_[i] == 0) continue;
      if (target_.HasFailed(number)) continue;
      const Status status = FinishDirectory(number);
      if (!status.ok()) problems_.Add(number, status);
    }
  }

  Status FinishDirectory(uint32_t number) {
    int parent = target_.root();
    std::string name = ".";
    if (number != 0) SHOAL_RETURN_IF_ERROR(target_.OpenParent(0, number, &parent, &name));
    const UniqueFd fd(openat(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!fd.valid()) return Status::FromErrno("cannot open the directory to give it its metadata", "", errno);
    Entry entry;
    SHOAL_RETURN_IF_ERROR(index_.Get(number, &entry));
    metadata_.ApplyToOpen(number, entry, fd.get());
    return Status();
  }

  Status MakeNode(unsigned worker, const Placed& node) {
    Entry entry;
    SHOAL_RETURN_IF_ERROR(index_.Get(node.entry, &entry));
    int directory;
    std::string name;
    SHOAL_RETURN_IF_ERROR(target_.OpenParent(worker, node.place, &directory, &name));
    if (entry.IsSymlink()) {
      std::string_view target;
      SHOAL_RETURN_IF_ERROR(index_.LinkTarget(entry, &target));
      SHOAL_RETURN_IF_ERROR(ExtractTarget::MakeNew(directory, name, "cannot make the symbolic link", [&] {
        return symlinkat(std::string(target).c_str(), directory, name.c_str());
      }));
    } else if (S_ISSOCK(entry.mode)) {
      return Status(Code::kUnsupported, "a socket: only a program that listens makes one");
    } else {
      SHOAL_RETURN_IF_ERROR(ExtractTarget::MakeNew(directory, name, "cannot make the device or FIFO", [&] {
        return mknodat(directory, name.c_str(), (entry.mode & S_IFMT) | 0600,
                       makedev(entry.device_major, entry.device_minor));
      }));
    }
    metadata_.ApplyToNode(node.place, entry, directory, name);
    return Status();
  }

  Status MakeLink(unsigned worker, const Placed& link) {
    if (target_.HasFailed(link.entry)) {
      return Status(Code::kMissing,
                    "the file that it is a further name of was not extracted: " + ShownEntry(index_, link.entry));
    }
    int directory;
    std::string name;
    SHOAL_RETURN_IF_ERROR(target_.OpenParent(worker, link.place, &directory, &name));
    int original_directory;
    std::string original;
    SHOAL_RETURN_IF_ERROR(target_.OpenParent(jobs_ + worker, link.entry, &original_directory, &original));
    return ExtractTarget::MakeNew(directory, name, "cannot link", [&] {
      return linkat(original_directory, original.c_str(), directory, name.c_str(),
                    0);  // 0: not what a symbolic link points to
    });
  }

  // Runs make(worker, item) for all items by all threads.
  template <typename Make>
  Status Each(const std::vector<Placed>& items, const Make& make) {
    if (items.empty()) return Status();
    std::atomic<size_t> next{0};
    SHOAL_RETURN_IF_ERROR(RunThreads(jobs_, [&](unsigned worker) {
      for (;;) {
        const size_t begin = next.fetch_add(kRange);
        const size_t end = std::min(begin + kRange, items.size());
        for (size_t i = begin; i < end; i++) {
          if (!Ended().ok()) return;
          if (Note(items[i].place, make(worker, items[i]))) Count();
        }
        if (end == items.size()) return;
      }
    }));
    return Ended();
  }

  // Whether the entry was made; if not that is listed, or ends the extraction.
  bool Note(uint32_t place, Status status) {
    if (status.ok()) return true;
    target_.SetFailed(place);
    if (IsFull(status)) {
      std::lock_guard<std::mutex> lock(mutex_);
      if (full_.ok()) full_ = target_.AtPlace(place, std::move(status));
    } else if (!ExtractTarget::IsTold(status)) {
      problems_.Add(place, status);
    }
    return false;
  }

  void Count() {
    done_.fetch_add(1, std::memory_order_relaxed);
    progress_.entries_done.fetch_add(1, std::memory_order_relaxed);
  }

  Status Ended() {
    if (progress_.cancel.load(std::memory_order_relaxed) != 0)
      return Status(Code::kCancelled, "cancelled before it was done");
    std::lock_guard<std::mutex> lock(mutex_);
    return full_;
  }

  const Image& image_;
  const IndexView& index_;
  const unsigned jobs_;
  Progress& progress_;
  ProblemList problems_;
  ExtractTarget target_;
  MetadataWriter metadata_;
  ExtractPlan plan_;
  std::vector<uint8_t> made_;  // by row of plan_.directories: it was not there before
  std::atomic<uint64_t> done_{0};
  std::mutex mutex_;
  Status full_;
};

}  // namespace

Status Extract(const Image& image, const std::vector<std::string>& paths, const std::string& directory, unsigned jobs,
               Progress* progress, ExtractOutcome* out) {
  const UniqueFd root(open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!root.valid()) return Status::FromErrno("cannot open the directory to extract into", directory, errno);
  return Extraction(image, root.get(), directory, ThreadCount(jobs), progress).Run(paths, out);
}

}  // namespace shoal
