#include "core/seek_table.h"

#include <algorithm>
#include <string>

#include "core/bytes.h"
#include "core/format.h"

namespace shoal {
namespace {

constexpr uint64_t kHeaderLength = 8;  // magic number and length of a skippable frame
constexpr uint64_t kFooterLength = 9;
constexpr uint64_t kRowLength = 8;       // compressed and plain length
constexpr uint64_t kChecksumLength = 4;  // in a row, where the descriptor says so
constexpr uint8_t kHasChecksums = 0x80;  // bits of the descriptor
constexpr uint8_t kReserved = 0x7C;

Status Unsupported(const BlockSource& file, const std::string& found) {
  return Status(Code::kUnsupported,
                "expected an uncompressed tar, or zstd frames of one length with a seek table behind them, found " +
                    found + "; decompress it with `zstd -d` and index the tar, or extract it and pack the tree")
      .At(file.path());
}

// The rows, and the length of the frame that they stand in.
Status ReadRows(const BlockSource& file, std::vector<uint8_t>* rows, uint64_t* row_length, uint64_t* length) {
  uint8_t footer[kFooterLength];
  if (file.length() < kHeaderLength + kFooterLength) return Unsupported(file, "no seek table");
  SHOAL_RETURN_IF_ERROR(file.Read(file.length() - kFooterLength, footer, kFooterLength));
  if (Load<uint32_t>(footer + 5) != format::kSeekTableFooter) return Unsupported(file, "no seek table");
  const uint8_t descriptor = footer[4];
  if ((descriptor & kReserved) != 0) {
    return Unsupported(file, "a seek table of a kind that is not known (" + std::to_string(descriptor) + ")");
  }
  *row_length = kRowLength + ((descriptor & kHasChecksums) != 0 ? kChecksumLength : 0);
  const uint64_t size = Load<uint32_t>(footer) * *row_length;
  *length = kHeaderLength + size + kFooterLength;
  const auto at = static_cast<int64_t>(file.length() - kFooterLength);
  if (*length > file.length() || size > format::kMaxAnswer) {
    return Status(Code::kMalformed, "expected a seek table within the file, found one of " +
                                        std::to_string(Load<uint32_t>(footer)) + " frames; copy the volume anew")
        .At(file.path(), at);
  }
  uint8_t header[kHeaderLength];
  SHOAL_RETURN_IF_ERROR(file.Read(file.length() - *length, header, kHeaderLength));
  if (Load<uint32_t>(header) != format::kSeekTableMagic || Load<uint32_t>(header + 4) != size + kFooterLength) {
    return Status(Code::kMalformed, "expected the beginning of a seek table of " + std::to_string(*length) +
                                        " bytes, found something else; copy the volume anew")
        .At(file.path(), static_cast<int64_t>(file.length() - *length));
  }
  rows->resize(size);
  return file.Read(file.length() - *length + kHeaderLength, rows->data(), size);
}

}  // namespace

uint64_t FrameLengthOf(uint64_t plain_length, uint64_t frame_length) {
  uint64_t length = format::kMinFrameLength;
  while (length < plain_length && length < frame_length) length *= 2;
  return length;
}

Status ReadSeekTable(const BlockSource& file, SeekTable* out) {
  *out = SeekTable();
  std::vector<uint8_t> rows;
  uint64_t row_length = 0;
  uint64_t table_length = 0;
  SHOAL_RETURN_IF_ERROR(ReadRows(file, &rows, &row_length, &table_length));
  const uint64_t count = rows.size() / row_length;
  if (count == 0) return Unsupported(file, "a seek table without frames");

  const uint64_t first = Load<uint32_t>(rows.data() + 4);
  out->frame_length = count == 1 ? FrameLengthOf(first, format::kMaxFrameLength) : first;
  const bool is_power_of_two = (out->frame_length & (out->frame_length - 1)) == 0;
  if (!is_power_of_two || out->frame_length < format::kMinFrameLength || out->frame_length > format::kMaxFrameLength) {
    return Unsupported(file, "frames of " + std::to_string(first) + " bytes, which is no power of two from 16384 on");
  }
  out->offsets.reserve(count + 1);
  out->offsets.push_back(0);
  for (uint64_t i = 0; i < count; i++) {
    const uint8_t* row = rows.data() + i * row_length;
    const uint64_t compressed = Load<uint32_t>(row);
    const uint64_t plain = Load<uint32_t>(row + 4);
    const bool last = i + 1 == count;
    if (plain > out->frame_length || plain == 0 || (!last && plain != out->frame_length)) {
      return Unsupported(
          file, "frames of " + std::to_string(out->frame_length) + " and of " + std::to_string(plain) + " bytes");
    }
    if (compressed == 0 || compressed > out->frame_length + format::kMaxFrameGrowth) {
      return Unsupported(file, "a frame of " + std::to_string(compressed) + " bytes for " + std::to_string(plain));
    }
    out->plain_length += plain;
    out->offsets.push_back(out->offsets.back() + compressed);
  }
  if (out->offsets.back() == file.length() - table_length) return Status();
  return Status(Code::kMalformed, "expected frames of " + std::to_string(file.length() - table_length) +
                                      " bytes before the seek table, found " + std::to_string(out->offsets.back()) +
                                      " in it; copy the volume anew")
      .At(file.path(), static_cast<int64_t>(file.length() - table_length));
}

}  // namespace shoal
