#include "pack/sample_content.h"

#include <algorithm>
#include <vector>

#include "core/format.h"
#include "pack/compression_sample.h"
#include "pack/file_reader.h"
#include "pack/member_builder.h"

namespace shoal {
namespace {

// Few, because each may mean some tens of small files to open on slow storage.
constexpr uint32_t kPlaces = 16;
constexpr size_t kSampleLength = format::kFrameLength;

// Fills `sample` with content of files from `entry` on, a large one's from its middle; returns the entry behind them.
uint32_t Gather(const PackCatalogue& catalogue, uint32_t entry, FileReader* reader, std::vector<char>* sample) {
  sample->clear();
  for (; entry < catalogue.size() && sample->size() < kSampleLength; entry++) {
    if (!catalogue.HasData(entry)) continue;
    const uint64_t stored = StoredBytes(catalogue, entry);
    const auto size = static_cast<size_t>(std::min<uint64_t>(stored, kSampleLength - sample->size()));
    UniqueFd fd;
    if (size == 0 || !reader->Open(entry, &fd).ok()) continue;
    const size_t before = sample->size();
    sample->resize(before + size);
    if (!reader->ReadStored(entry, fd.get(), (stored - size) / 2, sample->data() + before, size).ok())
      sample->resize(before);
  }
  return entry;
}

}  // namespace

Status SampleContent(const PackCatalogue& catalogue, Progress* progress, bool* pays) {
  FileReader reader(&catalogue, 1);
  CompressionSample sample;
  std::vector<char> bytes;
  uint32_t next = 0;
  for (uint64_t place = 0; place < kPlaces; place++) {
    if (progress->cancel.load(std::memory_order_relaxed) != 0) {
      return Status(Code::kCancelled, "cancelled while the tree was looked at");
    }
    const auto from = static_cast<uint32_t>(catalogue.size() * place / kPlaces);
    next = Gather(catalogue, std::max(from, next), &reader, &bytes);
    if (bytes.empty()) continue;
    SHOAL_RETURN_IF_ERROR(sample.Add(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()));
  }
  *pays = sample.Pays();
  return Status();
}

}  // namespace shoal
