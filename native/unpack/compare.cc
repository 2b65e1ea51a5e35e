#include "unpack/compare.h"

#include <fcntl.h>

#include <cerrno>

#include "core/run_threads.h"
#include "unpack/content_compare.h"
#include "unpack/directory_files.h"
#include "unpack/index_check.h"
#include "unpack/metadata_compare.h"
#include "unpack/piece_check.h"
#include "unpack/problem_list.h"
#include "unpack/verify_sink.h"

namespace shoal {

Status Compare(const Image& image, const std::string& directory, unsigned jobs, Progress* progress,
               CompareOutcome* out) {
  const IndexView& index = image.index();
  jobs = ThreadCount(jobs);
  UniqueFd root(open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!root.valid()) return Status::FromErrno("cannot open the directory", directory, errno);

  progress->entries_total = index.entry_count();
  ProblemList problems(index);
  ProblemList differences(index);
  ProblemList ignored(index);
  IndexSummary summary;
  SHOAL_RETURN_IF_ERROR(CheckIndex(index, jobs, *progress, &problems, &summary));
  progress->bytes_total = summary.content_bytes;

  MetadataCompare metadata(index, root.get(), progress, &differences, &ignored);
  SHOAL_RETURN_IF_ERROR(metadata.Run(jobs));

  VerifySink verify(image, &problems, nullptr);
  DirectoryFiles files(index, metadata, root.get(), jobs, &differences);
  ContentCompare content(&files, &verify);
  PieceCheck pieces(image);
  GrowingThreads threads(jobs);
  SHOAL_RETURN_IF_ERROR(ContentReader(image, progress, &pieces).Run(std::move(summary.files), &threads, &content));

  out->verified = GatherOutcome(image, summary.content_bytes, verify, &problems, &pieces);
  out->differences = differences.Take();
  out->ignored = ignored.Take();
  return Status();
}

}  // namespace shoal
