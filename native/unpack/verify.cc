#include "unpack/verify.h"

#include "core/run_threads.h"
#include "unpack/content_reader.h"
#include "unpack/index_check.h"
#include "unpack/problem_list.h"
#include "unpack/verify_sink.h"
#include "unpack/volume_pieces.h"

namespace shoal {

Status Verify(const Image& image, unsigned jobs, Progress* progress, VerifyOutcome* out) {
  jobs = ThreadCount(jobs);
  progress->entries_total = image.index().entry_count();
  ProblemList problems(image.index());
  IndexSummary summary;
  SHOAL_RETURN_IF_ERROR(CheckIndex(image.index(), jobs, *progress, &problems, &summary));
  progress->bytes_total = summary.content_bytes;
  progress->entries_done = image.index().entry_count() - summary.files.size();

  VerifySink sink(image, &problems, progress);
  SHOAL_RETURN_IF_ERROR(ContentReader(image, progress).Run(std::move(summary.files), jobs, &sink));
  out->entries = image.index().entry_count();
  out->bytes = summary.content_bytes;
  out->unchecked_bytes = sink.unchecked_bytes();
  out->problems = problems.Take();
  return CheckPieces(image, jobs, *progress, out);
}

}  // namespace shoal
