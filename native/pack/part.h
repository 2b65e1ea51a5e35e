// A share of a walked tree that is packed by itself, maybe on another machine.
#pragma once

#include <cstdint>
#include <string_view>

#include "pack/pack_catalogue.h"

namespace shoal {

// Of which of `count` parts, counted from 0, the entry at `path` is that is no directory. From the path alone, so that
// nothing that happens to another file between two runs moves it.
uint32_t PartOf(std::string_view path, uint32_t count);

// Leaves the catalogue the directories, all of them, and of the rest what is of part number `part` of `count`. Names of
// one file are together, where the first of them in index order is. Link counts stay those of the whole.
void KeepPart(PackCatalogue* catalogue, uint32_t part, uint32_t count);

}  // namespace shoal
