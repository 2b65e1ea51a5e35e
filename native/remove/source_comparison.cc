#include "remove/source_comparison.h"

#include <sys/stat.h>

#include <cerrno>

#include "core/growing_threads.h"
#include "core/run_threads.h"
#include "unpack/content_compare.h"
#include "unpack/index_check.h"
#include "unpack/piece_check.h"
#include "unpack/problem_list.h"
#include "unpack/verify_sink.h"

namespace shoal {

Status SourceComparison::Run(const Image& image, const std::string& below, unsigned jobs, Progress* progress,
                             VerifyOutcome* verified) {
  const IndexView& index = image.index();
  ProblemList problems(index);
  IndexSummary summary;
  SHOAL_RETURN_IF_ERROR(CheckIndex(index, ThreadCount(jobs), *progress, &problems, &summary));
  progress->entries_total = index.entry_count();
  progress->bytes_total = summary.content_bytes;
  progress->entries_done = index.entry_count() - summary.files.size();

  uint32_t root = 0;
  if (!below.empty()) {
    Entry top;
    SHOAL_RETURN_IF_ERROR(index.Get(0, &top));
    SHOAL_RETURN_IF_ERROR(index.Lookup(top, below, &root));
  }
  match_ = std::make_unique<SourceMatch>(*catalogue_, index, is_slice_);
  SHOAL_RETURN_IF_ERROR(match_->Run(root, *progress, &kept_));
  same_.assign(catalogue_->size(), 0);
  GrowingThreads threads(jobs, ContentReader::kMostThreads, catalogue_->threads);
  for (unsigned worker = 0; worker < threads.most(); worker++) {
    readers_.push_back(std::make_unique<FileReader>(catalogue_.get(), threads.DirectoryCapacity(worker)));
  }

  VerifySink verify(image, &problems, progress);
  ContentCompare content(this, &verify);
  PieceCheck pieces(image);
  SHOAL_RETURN_IF_ERROR(ContentReader(image, progress, &pieces).Run(std::move(summary.files), &threads, &content));
  *verified = GatherOutcome(image, summary.content_bytes, verify, &problems, &pieces);
  readers_.clear();  // open directories
  return Status();
}

bool SourceComparison::IsSame(uint32_t entry) const {
  if (!match_->IsMatched(entry)) return false;
  if (catalogue_->IsAlias(entry)) return IsSame(static_cast<uint32_t>(catalogue_->offsets[entry]));
  return !catalogue_->IsFile(entry) || catalogue_->sizes[entry] == 0 || same_[entry] != 0;
}

Status SourceComparison::Open(unsigned worker, uint32_t name, const ContentFile&, UniqueFd* fd) {
  SHOAL_RETURN_IF_ERROR(readers_[worker]->Open(name, fd));
  return readers_[worker]->Check(name, fd->get());
}

// What was read is the file of the walk, whose metadata were compared, only if nothing has changed meanwhile.
void SourceComparison::Compared(uint32_t name, int fd, const Status& outcome) {
  Status status = outcome;
  struct stat now;
  if (status.ok()) {
    status =
        fstat(fd, &now) == 0 ? CompareWithWalk(*catalogue_, name, now) : Status::FromErrno("cannot stat", "", errno);
  }
  if (status.ok()) {
    same_[name] = 1;
    return;
  }
  std::lock_guard<std::mutex> lock(mutex_);
  kept_.push_back({name, status.code(), status.message()});
}

}  // namespace shoal
