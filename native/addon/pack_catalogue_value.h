// The catalogue of a walk as a JavaScript value.
#pragma once

#include <memory>

#include "addon/bridge.h"
#include "pack/pack_catalogue.h"

namespace shoal::addon {

inline std::shared_ptr<PackCatalogue> ToPackCatalogue(const Napi::Value& value) {
  auto catalogue = std::dynamic_pointer_cast<PackCatalogue>(UnwrapCatalogue(value));
  if (catalogue == nullptr) throw Napi::TypeError::New(value.Env(), "expected the catalogue of a walk");
  return catalogue;
}

}  // namespace shoal::addon
