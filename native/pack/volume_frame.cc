#include "pack/volume_frame.h"

#include <algorithm>

#include "core/crc32c.h"
#include "core/format.h"
#include "pack/tar_header.h"

namespace shoal {
namespace {

constexpr char kDigits[] = "0123456789abcdef";
constexpr uint64_t kValueDigits = 8;

void AppendHex(uint32_t value, std::string* to) {
  for (int shift = 28; shift >= 0; shift -= 4) to->push_back(kDigits[(value >> shift) & 15]);
}

// What stands before a header's checksum of its own digits.
std::string TailText(TailValues kind, uint64_t first, uint64_t count) {
  std::string text = kind == TailValues::kPieces ? "shoal pieces " : "shoal checksums ";
  return text.append(std::to_string(first)).append(" ").append(std::to_string(count)).append(" ");
}

}  // namespace

std::string VolumeHead(size_t volume, size_t count, const uint8_t* id) {
  std::string text = "shoal volume 1 id=";
  for (uint32_t i = 0; i < format::kIdLength; i++) {
    const uint8_t byte = id == nullptr ? 0 : id[i];
    text.push_back(kDigits[byte >> 4]);
    text.push_back(kDigits[byte & 15]);
  }
  if (count > 1) text.append(" part=").append(std::to_string(volume + 1)).append("/").append(std::to_string(count));
  std::string head;
  AppendGlobalComment(text, &head);
  return head;
}

void AppendTailValues(TailValues kind, uint64_t first, const uint32_t* values, uint64_t count, std::string* to) {
  std::string digits;
  digits.reserve(kValueDigits * count);
  for (uint64_t i = 0; i < count; i++) AppendHex(values[i], &digits);
  std::string text = TailText(kind, first, count);
  AppendHex(Crc32c(digits.data(), digits.size()), &text);
  text.append(" ").append(digits);
  AppendGlobalComment(text, to);
}

uint64_t TailHeaderLength(TailValues kind, uint64_t first, uint64_t count) {
  return GlobalCommentLength(TailText(kind, first, count).size() + kValueDigits + 1 + kValueDigits * count);
}

uint64_t TailValuesLength(TailValues kind, uint64_t count) {
  uint64_t length = 0;
  for (uint64_t first = 0; first < count; first += kValuesPerHeader) {
    length += TailHeaderLength(kind, first, std::min(kValuesPerHeader, count - first));
  }
  return length;
}

void AppendTailLinks(const Links& links, std::string* to) {
  for (uint64_t first = 0; first < links.size(); first += kPairsPerHeader) {
    std::string text = "shoal links";
    for (uint64_t i = first; i < std::min<uint64_t>(links.size(), first + kPairsPerHeader); i++) {
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
