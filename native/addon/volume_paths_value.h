// Paths of a plan's volumes, from a JavaScript value.
#pragma once

#include <string>
#include <vector>

#include "addon/bridge.h"

namespace shoal::addon {

inline std::vector<std::string> ToVolumePaths(const PackCatalogue& catalogue, const Napi::Value& value) {
  std::vector<std::string> paths = ToBytesList(value);
  if (paths.size() == catalogue.plan.volumes.size()) return paths;
  throw Napi::TypeError::New(value.Env(), "expected one path for each planned volume");
}

}  // namespace shoal::addon
