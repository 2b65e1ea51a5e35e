#include "pack/journal.h"

#include <cstring>

#include "core/crc32c.h"
#include "core/file.h"

namespace shoal {
namespace {

// u32 length of what follows, u32 CRC32C of it; u32 step, checksums, runs; u32 checksums …, runs …. As they lie in
// memory: only this machine's kind goes on with it.
struct Head {
  uint32_t length;
  uint32_t checksum;
};
struct Counts {
  uint32_t step;
  uint32_t checksums;
  uint32_t runs;
};
static_assert(sizeof(Head) == 8 && sizeof(Counts) == 12 && sizeof(PieceSums::Run) == 16, "no padding is stored");

template <typename Value>
void Append(const Value* values, size_t count, std::string* to) {
  to->append(reinterpret_cast<const char*>(values), count * sizeof(Value));
}

// Takes `count` values from what is left; false where there are fewer.
template <typename Value>
bool Take(Value* values, size_t count, const char** at, const char* end) {
  if (static_cast<size_t>(end - *at) / sizeof(Value) < count) return false;
  if (count != 0) std::memcpy(values, *at, count * sizeof(Value));
  *at += count * sizeof(Value);
  return true;
}

bool TakeStep(const char** at, const char* end, WrittenStep* step) {
  Head head;
  Counts counts;
  if (!Take(&head, 1, at, end) || static_cast<size_t>(end - *at) < head.length) return false;
  const char* const record_end = *at + head.length;
  if (Crc32c(*at, head.length) != head.checksum || !Take(&counts, 1, at, record_end)) return false;
  const uint64_t length =
      uint64_t{counts.checksums} * sizeof(uint32_t) + uint64_t{counts.runs} * sizeof(PieceSums::Run);
  if (length != static_cast<uint64_t>(record_end - *at)) return false;
  step->step = counts.step;
  step->checksums.resize(counts.checksums);
  step->runs.resize(counts.runs);
  return Take(step->checksums.data(), counts.checksums, at, record_end) &&
         Take(step->runs.data(), counts.runs, at, record_end);
}

}  // namespace

void AppendJournal(const WrittenStep& step, std::string* records) {
  std::string record;
  const Counts counts{step.step, static_cast<uint32_t>(step.checksums.size()), static_cast<uint32_t>(step.runs.size())};
  Append(&counts, 1, &record);
  Append(step.checksums.data(), step.checksums.size(), &record);
  Append(step.runs.data(), step.runs.size(), &record);
  const Head head{static_cast<uint32_t>(record.size()), Crc32c(record.data(), record.size())};
  Append(&head, 1, records);
  records->append(record);
}

Status ReadJournal(const std::string& path, std::vector<WrittenStep>* steps, uint64_t* length) {
  steps->clear();
  *length = 0;
  UniqueFd fd;
  uint64_t file_length;
  Status opened = OpenRegular(path, Code::kMalformed, &fd, &file_length);
  if (opened.code() == Code::kMissing) return Status();
  SHOAL_RETURN_IF_ERROR(opened);
  std::string bytes(file_length, '\0');
  SHOAL_RETURN_IF_ERROR(ReadExact(fd.get(), path, 0, &bytes[0], bytes.size()));
  const char* at = bytes.data();
  for (WrittenStep step; TakeStep(&at, bytes.data() + bytes.size(), &step); step = WrittenStep()) {
    *length = static_cast<uint64_t>(at - bytes.data());
    steps->push_back(std::move(step));
  }
  return Status();
}

}  // namespace shoal
