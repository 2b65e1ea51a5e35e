// Where the words of an entry stand in the entry table (FORMAT §4.2).
#pragma once

#include <cstdint>

#include "format.h"

namespace shoal::format {

constexpr uint32_t kWordStride = 512;  // from one word of an entry to its next
constexpr uint32_t kEntryWords = 8;
constexpr uint32_t kEntrySpan =
    (kEntryWords - 1) * kWordStride + 4;  // from an entry's first byte behind its last; within a page

// Of the entry's word 0, from the start of the section.
constexpr uint64_t EntryOffset(uint32_t number) {
  return uint64_t{number / kPageEntries} * kPageLength + (number % kPageEntries) * 4;
}

}  // namespace shoal::format
