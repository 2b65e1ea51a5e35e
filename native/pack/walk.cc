#include "pack/walk.h"

#include "core/growing_threads.h"
#include "pack/sources.h"
#include "pack/walk_thread.h"
#include "pack/walker.h"

namespace shoal {
namespace {

Status ReadList(const WalkOptions& options, const std::vector<Source>& sources, FileList* list) {
  if (!options.files) return Status();
  if (sources.size() != 1) {
    return Status(Code::kUsage, "expected one source that the list of files belongs to, found " +
                                    std::to_string(sources.size()) + "; pack each with a list of its own");
  }
  return FileList::Parse(*options.files, options.files_separator, sources[0], list);
}

}  // namespace

Status Walk(const WalkOptions& options, Progress* progress, Walked* out) {
  std::vector<Source> sources;
  Exclusion exclusion;
  FileList list;
  SHOAL_RETURN_IF_ERROR(ResolveSources(options.sources, &sources));
  SHOAL_RETURN_IF_ERROR(Exclusion::Parse(options.exclude, &exclusion));
  SHOAL_RETURN_IF_ERROR(ReadList(options, sources, &list));
  GrowingThreads threads(options.jobs);
  Walker walker(options, std::move(sources), std::move(exclusion), std::move(list), &threads, progress);
  walker.Begin();
  SHOAL_RETURN_IF_ERROR(threads.Run([&](unsigned worker) { WalkThread(&walker, worker).Run(); }));
  SHOAL_RETURN_IF_ERROR(walker.Finish(out));
  out->catalogue->threads = threads.started();
  return Status();
}

}  // namespace shoal
