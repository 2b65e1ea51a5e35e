#include "pack/journal.h"

#include <algorithm>
#include <cstring>

#include "core/crc32c.h"
#include "core/file.h"

namespace shoal {
namespace {

// u32 length of what follows, u32 CRC32C of it; then Counts, u32 checksums …, runs …, or FrameCounts, u32 lengths …. As
// they lie in memory: only this machine's kind goes on with it.
struct Head {
  uint32_t length;
  uint32_t checksum;
};
enum class Kind : uint32_t { kStep, kFrames };
struct Counts {
  Kind kind;
  uint32_t step;
  uint32_t checksums;
  uint32_t runs;
};
struct FrameCounts {
  Kind kind;
  uint32_t volume;
  uint64_t first;
  uint64_t count;
};
static_assert(sizeof(Head) == 8 && sizeof(Counts) == 16 && sizeof(FrameCounts) == 24 && sizeof(PieceSums::Run) == 16,
              "no padding is stored");

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

bool TakeStep(const char* at, const char* end, Journal* journal) {
  Counts counts;
  if (!Take(&counts, 1, &at, end)) return false;
  const uint64_t length =
      uint64_t{counts.checksums} * sizeof(uint32_t) + uint64_t{counts.runs} * sizeof(PieceSums::Run);
  if (length != static_cast<uint64_t>(end - at)) return false;
  WrittenStep& step = journal->steps.emplace_back();
  step.step = counts.step;
  step.checksums.resize(counts.checksums);
  step.runs.resize(counts.runs);
  return Take(step.checksums.data(), counts.checksums, &at, end) && Take(step.runs.data(), counts.runs, &at, end);
}

bool TakeFrames(const char* at, const char* end, Journal* journal) {
  FrameCounts counts;
  if (!Take(&counts, 1, &at, end) || counts.volume > UINT16_MAX) return false;
  if (counts.count != static_cast<uint64_t>(end - at) / sizeof(uint32_t)) return false;
  std::vector<uint32_t> lengths(counts.count);
  std::vector<uint64_t>& offsets = journal->frames[static_cast<uint16_t>(counts.volume)];
  if (offsets.empty()) offsets = {0};
  if (offsets.size() - 1 != counts.first || !Take(lengths.data(), lengths.size(), &at, end)) return false;
  for (const uint32_t length : lengths) offsets.push_back(offsets.back() + length);
  return true;
}

bool TakeRecord(const char** at, const char* end, Journal* journal) {
  Head head;
  Kind kind;
  if (!Take(&head, 1, at, end) || static_cast<size_t>(end - *at) < head.length) return false;
  const char* const record = *at;
  *at += head.length;
  const char* start = record;
  if (Crc32c(record, head.length) != head.checksum || !Take(&kind, 1, &start, *at)) return false;
  if (kind == Kind::kStep) return TakeStep(record, *at, journal);
  return kind == Kind::kFrames && TakeFrames(record, *at, journal);
}

void AppendRecord(const std::string& record, std::string* records) {
  const Head head{static_cast<uint32_t>(record.size()), Crc32c(record.data(), record.size())};
  Append(&head, 1, records);
  records->append(record);
}

}  // namespace

uint64_t WrittenStep::end() const {
  uint64_t end = 0;
  for (const PieceSums::Run& run : runs) end = std::max(end, run.offset + run.size);
  return end;
}

void AppendStep(const WrittenStep& step, std::string* records) {
  std::string record;
  const Counts counts{Kind::kStep, step.step, static_cast<uint32_t>(step.checksums.size()),
                      static_cast<uint32_t>(step.runs.size())};
  Append(&counts, 1, &record);
  Append(step.checksums.data(), step.checksums.size(), &record);
  Append(step.runs.data(), step.runs.size(), &record);
  AppendRecord(record, records);
}

void AppendFrames(uint16_t volume, uint64_t first, const std::vector<uint64_t>& offsets, std::string* records) {
  if (offsets.size() < 2) return;
  std::string record;
  const FrameCounts counts{Kind::kFrames, volume, first, offsets.size() - 1};
  Append(&counts, 1, &record);
  for (size_t i = 1; i < offsets.size(); i++) {
    const auto length = static_cast<uint32_t>(offsets[i] - offsets[i - 1]);
    Append(&length, 1, &record);
  }
  AppendRecord(record, records);
}

Status ReadJournal(const std::string& path, Journal* journal, uint64_t* length) {
  *journal = Journal();
  *length = 0;
  UniqueFd fd;
  uint64_t file_length;
  Status opened = OpenRegular(path, Code::kMalformed, &fd, &file_length);
  if (opened.code() == Code::kMissing) return Status();
  SHOAL_RETURN_IF_ERROR(opened);
  std::string bytes(file_length, '\0');
  SHOAL_RETURN_IF_ERROR(ReadExact(fd.get(), path, 0, &bytes[0], bytes.size()));
  for (const char* at = bytes.data(); TakeRecord(&at, bytes.data() + bytes.size(), journal);) {
    *length = static_cast<uint64_t>(at - bytes.data());
  }
  return Status();
}

}  // namespace shoal
