// A slice of a walked tree as a catalogue of its own.
#pragma once

#include <memory>

#include "pack/pack_catalogue.h"
#include "pack/slice_plan.h"

namespace shoal {

// The units of the slice and the directories above them. Link counts stay those of the whole. What changes meanwhile is
// left out of a slice, because those before it cannot be made anew; and directories are not looked at, because removing
// the slices before has changed them.
std::shared_ptr<PackCatalogue> TakeSlice(const PackCatalogue& whole, const Slice& slice);

}  // namespace shoal
