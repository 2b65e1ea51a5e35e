#include "pack/apply_checksums.h"

#include <algorithm>
#include <string>

#include "core/format.h"
#include "pack/member_builder.h"

namespace shoal {

Status ApplyChecksums(const std::vector<uint32_t>& values, const TreeBuilder::Arrivals& arrivals,
                      Catalogue* catalogue) {
  uint64_t needed = 0;
  std::vector<uint32_t> large;
  for (uint32_t file : arrivals.files) {
    const uint64_t count = ChecksumCount(catalogue->sizes[file], StoredBytes(*catalogue, file));
    needed += count;
    if (count > 1) large.push_back(file);
  }
  if (needed != values.size()) {
    return Status(Code::kMalformed, "expected " + std::to_string(needed) +
                                        " checksums in the tail of the volume, found " + std::to_string(values.size()) +
                                        "; the volume is damaged, or was changed after Shoal wrote it");
  }

  // Rows of chunks are in the order of entries.
  std::sort(large.begin(), large.end());
  uint64_t rows = 0;
  for (uint32_t file : large) {
    catalogue->checksums[file] = static_cast<uint32_t>(rows);
    rows += ChecksumCount(catalogue->sizes[file], StoredBytes(*catalogue, file));
  }
  catalogue->chunk_checksums.resize(rows);

  auto value = values.begin();
  for (uint32_t file : arrivals.files) {
    const uint64_t count = ChecksumCount(catalogue->sizes[file], StoredBytes(*catalogue, file));
    if (count > 1) {
      std::copy_n(value, count, catalogue->chunk_checksums.begin() + catalogue->checksums[file]);
    } else if (count == 1) {
      catalogue->checksums[file] = *value;
    }
    value += static_cast<ptrdiff_t>(count);
  }
  for (const auto& copy : arrivals.copies) catalogue->checksums[copy.first] = catalogue->checksums[copy.second];
  catalogue->has_checksums = true;
  return Status();
}

}  // namespace shoal
