// The trees and files that a user names.
#pragma once

#include <string>
#include <vector>

#include "pack/pack_catalogue.h"

namespace shoal {

// Resolves what the user wrote (the only place where symbolic links are followed), sorted by base name. Two with the
// same base name are kUsage.
Status ResolveSources(const std::vector<std::string>& given, std::vector<Source>* out);

}  // namespace shoal
