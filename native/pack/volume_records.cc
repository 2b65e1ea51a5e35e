#include "pack/volume_records.h"

#include <algorithm>

#include "core/crc32c.h"
#include "core/format.h"
#include "pack/decimal.h"

namespace shoal {
namespace {

using std::string_view;

constexpr string_view kHead = "shoal volume ";
constexpr string_view kHeadOfVersion = "1 id=";
constexpr string_view kPart = " part=";
constexpr string_view kChecksums = "shoal checksums ";
constexpr string_view kPieces = "shoal pieces ";
constexpr string_view kLinks = "shoal links";
constexpr size_t kDigits = 8;  // of a value

bool TakePrefix(string_view prefix, string_view* text) {
  if (text->substr(0, prefix.size()) != prefix) return false;
  text->remove_prefix(prefix.size());
  return true;
}

int HexDigit(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  return -1;
}

// Takes a number and the blank behind it, if one is there.
bool TakeNumber(string_view* text, uint64_t* out) {
  const size_t end = std::min(text->find(' '), text->size());
  const bool good = tar::ParseDecimal(text->substr(0, end), out);
  text->remove_prefix(std::min(end + 1, text->size()));
  return good;
}

// Takes eight hexadecimal digits.
bool TakeValue(string_view* text, uint32_t* out) {
  if (text->size() < kDigits) return false;
  *out = 0;
  for (char digit : text->substr(0, kDigits)) {
    if (HexDigit(digit) < 0) return false;
    *out = *out << 4 | static_cast<uint32_t>(HexDigit(digit));
  }
  text->remove_prefix(kDigits);
  return true;
}

Status Wrong(const std::string& message) {
  return Status(Code::kMalformed, message + "; the volume is damaged, or was changed after Shoal wrote it");
}

}  // namespace

Status VolumeRecords::ReadHead(string_view comment) {
  if (!TakePrefix(kHead, &comment)) return Status();
  if (!TakePrefix(kHeadOfVersion, &comment)) {
    return Status(Code::kVersion, "expected a volume of version 1, found version " +
                                      std::string(comment.substr(0, std::min<size_t>(comment.find(' '), 20))) +
                                      "; a newer shoal wrote it");
  }
  const string_view id = comment.substr(0, 2 * format::kIdLength);
  if (id.size() != 2 * format::kIdLength ||
      !std::all_of(id.begin(), id.end(), [](char digit) { return HexDigit(digit) >= 0; })) {
    return Wrong("expected an id of 32 hexadecimal digits in the head of the volume, found something else");
  }
  comment.remove_prefix(id.size());
  if (!comment.empty()) SHOAL_RETURN_IF_ERROR(ReadPart(comment));
  id_ = id;
  return Status();
}

Status VolumeRecords::ReadPart(string_view text) {
  const size_t slash = text.find('/');
  if (TakePrefix(kPart, &text) && slash != string_view::npos &&
      tar::ParseDecimal(text.substr(0, slash - kPart.size()), &number_) &&
      tar::ParseDecimal(text.substr(slash - kPart.size() + 1), &count_) && number_ >= 1 && number_ <= count_ &&
      count_ < format::kExtentListVolume) {
    number_--;
    return Status();
  }
  return Wrong("expected `part=K/N` behind the id in the head of the volume, found something else");
}

Status VolumeRecords::ReadTail(string_view comment) {
  if (TakePrefix(kHead, &comment)) return Wrong("expected one head in a volume, found a second one");
  std::vector<uint32_t>* values = TakePrefix(kChecksums, &comment) ? &checksums_
                                  : TakePrefix(kPieces, &comment)  ? &pieces_
                                                                   : nullptr;
  if (values == nullptr && !TakePrefix(kLinks, &comment)) return Status();
  in_tail_ = true;
  return values != nullptr ? ReadValues(comment, values) : ReadLinks(comment);
}

Status VolumeRecords::ReadValues(string_view text, std::vector<uint32_t>* values) {
  uint64_t first;
  uint64_t count;
  uint32_t checksum;
  if (!TakeNumber(&text, &first) || !TakeNumber(&text, &count) || !TakeValue(&text, &checksum) ||
      !TakePrefix(" ", &text) || first != values->size()) {
    return Wrong("expected values from number " + std::to_string(values->size()) + " on, found something else");
  }
  if (text.size() % kDigits != 0 || text.size() / kDigits != count) {
    return Wrong("expected " + std::to_string(count) + " values of 8 digits, found " + std::to_string(text.size()) +
                 " bytes");
  }
  if (Crc32c(text.data(), text.size()) != checksum) {
    return Status(Code::kChecksum,
                  "expected values with the CRC32C that stands before them, found others; the volume "
                  "is damaged, restore it from a copy");
  }
  uint32_t value;
  while (TakeValue(&text, &value)) values->push_back(value);
  return text.empty() ? Status() : Wrong("expected values of hexadecimal digits, found something else");
}

Status VolumeRecords::ReadLinks(string_view text) {
  if (!TakePrefix(" ", &text)) return Wrong("expected pairs of entry and link count, found something else");
  while (!text.empty()) {
    uint64_t entry;
    uint64_t count;
    if (!TakeNumber(&text, &entry) || !TakeNumber(&text, &count) || entry > UINT32_MAX || count > UINT32_MAX) {
      return Wrong("expected pairs of entry and link count, found something else");
    }
    link_counts_.emplace_back(static_cast<uint32_t>(entry), static_cast<uint32_t>(count));
  }
  return Status();
}

}  // namespace shoal
