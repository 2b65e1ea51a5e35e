// The catalogue of a walk in a file, so that a run that is stopped can be gone on with: by the same plan, also where
// sources are gone by then.
#pragma once

#include <memory>
#include <string>

#include "pack/pack_catalogue.h"

namespace shoal {

// Writes a new file at `path`, which is not synced (the caller does, where it must last). `request` is what the run was asked for, as text that only the
// caller reads.
Status SavePlan(const PackCatalogue& catalogue, const std::string& request, const std::string& path);

// Reads what SavePlan wrote, on any host with the same order of bytes. A file that was cut short, is damaged or is none
// of this version is kMalformed. The catalogue has no plan yet: MakePlan makes the same as before.
Status LoadPlan(const std::string& path, std::string* request, std::shared_ptr<PackCatalogue>* out);

}  // namespace shoal
