#include "pack/volume_frame.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "core/file.h"
#include "core/format.h"
#include "pack/tar_header.h"

namespace shoal {
namespace {

constexpr char kDigits[] = "0123456789abcdef";
constexpr char kHeadText[] = "shoal volume 1 id=";

std::string Head(const uint8_t* id) {
  std::string text = kHeadText;
  for (uint32_t i = 0; i < format::kIdLength; i++) {
    text.push_back(kDigits[id[i] >> 4]);
    text.push_back(kDigits[id[i] & 15]);
  }
  std::string head;
  AppendGlobalComment(text, &head);
  return head;
}

}  // namespace

std::string VolumeHead() {
  const uint8_t zeros[format::kIdLength] = {};
  return Head(zeros);
}

Status StampVolume(const std::string& path, const uint8_t* id) {
  UniqueFd fd(open(path.c_str(), O_RDWR | O_CLOEXEC));
  if (!fd.valid()) return Status::FromErrno("cannot open", path, errno);
  const std::string expected = VolumeHead();
  std::string found(expected.size(), '\0');
  SHOAL_RETURN_IF_ERROR(ReadExact(fd.get(), path, 0, &found[0], found.size()));
  if (found != expected) {
    return Status(Code::kWrongVolume, "expected the head of a volume without an id, found another one").At(path, 0);
  }
  const std::string head = Head(id);
  SHOAL_RETURN_IF_ERROR(WriteExact(fd.get(), path, 0, head.data(), head.size()));
  if (fdatasync(fd.get()) != 0) return Status::FromErrno("cannot sync", path, errno);
  return Status();
}

void AppendVolumeEnd(const Links& links, uint64_t offset, std::string* to) {
  constexpr size_t kPairsPerHeader = 16384;  // two values each
  const size_t start = to->size();
  for (size_t first = 0; first < links.size(); first += kPairsPerHeader) {
    std::string text = "shoal links";
    for (size_t i = first; i < std::min(links.size(), first + kPairsPerHeader); i++) {
      text.append(" ").append(std::to_string(links[i].first)).append(" ").append(std::to_string(links[i].second));
    }
    AppendGlobalComment(text, to);
  }
  to->append(2 * kTarBlock, '\0');
  const uint64_t end = offset + (to->size() - start);
  to->append((kVolumeMultiple - end % kVolumeMultiple) % kVolumeMultiple, '\0');
}

uint64_t ChecksumHeadersLength(uint64_t count) {
  // A header's length follows from the numbers alone; full ones differ only in the digits of `first`.
  uint64_t length = 0;
  std::string header;
  const std::vector<uint32_t> values(std::min(count, kChecksumsPerHeader));
  for (uint64_t first = 0; first < count; first += kChecksumsPerHeader) {
    header.clear();
    AppendChecksumHeader(first, values.data(), std::min(kChecksumsPerHeader, count - first), &header);
    length += header.size();
  }
  return length;
}

void AppendChecksumHeader(uint64_t first, const uint32_t* values, uint64_t count, std::string* to) {
  std::string text = "shoal checksums " + std::to_string(first) + " " + std::to_string(count) + " ";
  text.reserve(text.size() + 8 * count);
  for (uint64_t i = 0; i < count; i++) {
    for (int shift = 28; shift >= 0; shift -= 4) text.push_back(kDigits[(values[i] >> shift) & 15]);
  }
  AppendGlobalComment(text, to);
}

}  // namespace shoal
