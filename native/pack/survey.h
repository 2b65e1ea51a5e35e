// Counts what a walk has found.
#pragma once

#include <cstdint>

#include "pack/pack_catalogue.h"

namespace shoal {

struct Survey {
  // Entries by kind; together with the root that was made up, if one was, all of the catalogue.
  uint64_t files = 0;
  uint64_t directories = 0;
  uint64_t symbolic_links = 0;
  uint64_t devices = 0;
  uint64_t fifos = 0;
  uint64_t aliases = 0;  // further names of hard-linked files
  // Inodes that removing all of it would free: files with names elsewhere stay.
  uint64_t inodes = 0;
};

// After MakePlan, which finds unusual link counts.
Survey SurveyOf(const PackCatalogue& catalogue);

}  // namespace shoal
