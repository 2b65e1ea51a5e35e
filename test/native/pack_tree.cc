// Walks a tree and writes its volume, as `shoal pack` does without JavaScript, so that a sanitizer sees all threads:
//   pack_tree SOURCE VOLUME JOBS LEVEL
// JOBS 0: as many as storage keeps busy. LEVEL is that of zstd; 0: the volume is not compressed. Files of equal content
// are stored once. Prints how many entries there are, or what failed with status 1.
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "core/format.h"
#include "pack/find_copies.h"
#include "pack/finish_volumes.h"
#include "pack/plan.h"
#include "pack/volume_writer.h"
#include "pack/walk.h"

namespace {

using shoal::Status;

Status Pack(const char* source, const char* volume, unsigned jobs, int level) {
  shoal::Progress progress{};
  shoal::WalkOptions options;
  options.sources = {source};
  options.jobs = jobs;
  shoal::Walked walked;
  SHOAL_RETURN_IF_ERROR(shoal::Walk(options, &progress, &walked));
  shoal::PackCatalogue* const catalogue = walked.catalogue.get();
  SHOAL_RETURN_IF_ERROR(shoal::FindCopies(catalogue, jobs, &progress));
  shoal::PlanOptions layout;
  layout.level = level;
  SHOAL_RETURN_IF_ERROR(shoal::MakePlan(catalogue, layout, 1));
  const std::vector<std::string> paths{volume};
  shoal::Written written;
  SHOAL_RETURN_IF_ERROR(shoal::WriteVolumes(catalogue, paths, std::nullopt, jobs, &progress, &written));
  for (const auto* problems : {&walked.unreadable, &written.unreadable, &written.changed}) {
    for (const shoal::Problem& problem : *problems) return Status(problem.code, problem.message).At(problem.path);
  }
  const std::vector<uint8_t> id(shoal::format::kIdLength);
  std::vector<std::vector<uint32_t>> pieces;
  SHOAL_RETURN_IF_ERROR(shoal::FinishVolumes(catalogue, paths, id.data(), 1, &pieces));
  std::printf("%u\n", static_cast<unsigned>(catalogue->size()));
  return Status();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) return 2;
  const Status status = Pack(argv[1], argv[2], static_cast<unsigned>(std::atoi(argv[3])), std::atoi(argv[4]));
  if (status.ok()) return 0;
  std::fprintf(stderr, "%s: %s\n", status.path().c_str(), status.message().c_str());
  return 1;
}
