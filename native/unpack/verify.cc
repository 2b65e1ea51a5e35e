#include "unpack/verify.h"

#include "core/run_threads.h"
#include "unpack/content_reader.h"
#include "unpack/frame_check.h"
#include "unpack/index_check.h"
#include "unpack/piece_check.h"
#include "unpack/problem_list.h"
#include "unpack/verify_sink.h"

namespace shoal {

Status Verify(const Image& image, unsigned jobs, Progress* progress, VerifyOutcome* out) {
  progress->entries_total = image.index().entry_count();
  ProblemList problems(image.index());
  IndexSummary summary;
  SHOAL_RETURN_IF_ERROR(CheckIndex(image.index(), ThreadCount(jobs), *progress, &problems, &summary));
  progress->bytes_total = summary.content_bytes;
  progress->entries_done = image.index().entry_count() - summary.files.size();

  VerifySink sink(image, &problems, progress);
  PieceCheck pieces(image);
  GrowingThreads threads(jobs, ContentReader::kMostThreads);
  SHOAL_RETURN_IF_ERROR(ContentReader(image, progress, &pieces).Run(std::move(summary.files), &threads, &sink));
  *out = GatherOutcome(image, summary.content_bytes, sink, &problems, &pieces);
  return Status();
}

VerifyOutcome GatherOutcome(const Image& image, uint64_t bytes, const VerifySink& sink, ProblemList* problems,
                            PieceCheck* pieces) {
  VerifyOutcome outcome;
  outcome.entries = image.index().entry_count();
  outcome.bytes = bytes;
  outcome.unchecked_bytes = sink.unchecked_bytes();
  outcome.unframed_volumes = pieces->unframed_volumes();
  outcome.problems = problems->Take();
  // A damaged file's piece would tell the same again.
  if (outcome.problems.empty()) outcome.problems = pieces->TakeProblems();
  for (Problem& problem : CheckFrames(image)) outcome.problems.push_back(std::move(problem));
  return outcome;
}

}  // namespace shoal
