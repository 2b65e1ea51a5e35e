#include "pack/volume_frame.h"

#include <algorithm>

#include "core/crc32c.h"
#include "core/format.h"
#include "pack/tar_header.h"

namespace shoal {
namespace {

constexpr char kDigits[] = "0123456789abcdef";

void AppendHex(uint32_t value, std::string* to) {
  for (int shift = 28; shift >= 0; shift -= 4) to->push_back(kDigits[(value >> shift) & 15]);
}

}  // namespace

std::string VolumeHead(const uint8_t* id) {
  std::string text = "shoal volume 1 id=";
  for (uint32_t i = 0; i < format::kIdLength; i++) {
    const uint8_t byte = id == nullptr ? 0 : id[i];
    text.push_back(kDigits[byte >> 4]);
    text.push_back(kDigits[byte & 15]);
  }
  std::string head;
  AppendGlobalComment(text, &head);
  return head;
}

void AppendTailValues(TailValues kind, uint64_t first, const uint32_t* values, uint64_t count, std::string* to) {
  std::string digits;
  digits.reserve(8 * count);
  for (uint64_t i = 0; i < count; i++) AppendHex(values[i], &digits);
  std::string text = kind == TailValues::kPieces ? "shoal pieces " : "shoal checksums ";
  text.append(std::to_string(first)).append(" ").append(std::to_string(count)).append(" ");
  AppendHex(Crc32c(digits.data(), digits.size()), &text);
  text.append(" ").append(digits);
  AppendGlobalComment(text, to);
}

uint64_t TailValuesLength(TailValues kind, uint64_t count) {
  // A header's length follows from the numbers alone; full ones differ only in the digits of `first`.
  uint64_t length = 0;
  std::string header;
  const std::vector<uint32_t> values(std::min(count, kValuesPerHeader));
  for (uint64_t first = 0; first < count; first += kValuesPerHeader) {
    header.clear();
    AppendTailValues(kind, first, values.data(), std::min(kValuesPerHeader, count - first), &header);
    length += header.size();
  }
  return length;
}

void AppendTailLinks(const Links& links, std::string* to) {
  constexpr size_t kPairsPerHeader = kValuesPerHeader / 2;
  for (size_t first = 0; first < links.size(); first += kPairsPerHeader) {
    std::string text = "shoal links";
    for (size_t i = first; i < std::min(links.size(), first + kPairsPerHeader); i++) {
      text.append(" ").append(std::to_string(links[i].first)).append(" ").append(std::to_string(links[i].second));
    }
    AppendGlobalComment(text, to);
  }
}

void AppendVolumeEnd(uint64_t offset, std::string* to) { to->append(EndedLength(offset) - offset, '\0'); }

uint64_t EndedLength(uint64_t offset) {
  offset += 2 * kTarBlock;
  return (offset + kVolumeMultiple - 1) / kVolumeMultiple * kVolumeMultiple;
}

}  // namespace shoal
