#include "core/index_map.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "core/bytes.h"
#include "core/crc32c.h"
#include "core/file.h"
#include "core/read_retry.h"

namespace shoal {
namespace {

using format::Section;

constexpr char kCure[] = "; the index is damaged: copy it anew, or rebuild it with `shoal index`";

// Section names of FORMAT §4 and, where rows have a fixed size and nothing follows them, the bytes of a row.
struct SectionRule {
  const char* name;
  uint32_t row_length;
  bool must_stand;
};
constexpr SectionRule kRules[format::kLastSection + 1] = {
    {"", 0, false},
    {"blocks", 4, true},
    {"entries", 0, true},
    {"names", 0, true},
    {"nameGroups", 8, true},
    {"hash", format::kBucketLength, true},
    {"attributes", format::kAttributesRowLength, true},
    {"xattrs", 0, false},
    {"linkTargets", 0, false},
    {"directories", format::kDirectoryRowLength, true},
    {"extents", 8, false},
    {"checksums", 4, false},
    {"wide", format::kWideRowLength, false},
    {"volumes", 0, true},
    {"metadata", 0, false},
    {"pieces", 4, false},
    {"frames", 8, false},
};

const char* NameOf(Section kind) { return kRules[static_cast<uint32_t>(kind)].name; }

uint64_t DivideUp(uint64_t value, uint64_t by) { return value / by + (value % by != 0); }

std::string Hex(uint32_t value) {
  char text[11];
  std::snprintf(text, sizeof text, "0x%08x", value);
  return text;
}

std::string Expected(const char* what, uint64_t expected, uint64_t found) {
  return std::string(what) + ": expected " + std::to_string(expected) + ", found " + std::to_string(found);
}

}  // namespace

Status IndexMap::Open(const std::string& path, std::unique_ptr<IndexMap>* out, std::optional<StorageKind> storage) {
  std::unique_ptr<IndexMap> map(new IndexMap());
  map->path_ = path;
  UniqueFd fd;
  uint64_t size = 0;
  SHOAL_RETURN_IF_ERROR(OpenRegular(path, Code::kNotImage, &fd, &size));
  map->file_.reset(new StorageFile(std::move(fd), path));
  SHOAL_RETURN_IF_ERROR(map->ReadHeader(size));
  if (storage.value_or(KindOfStorage(map->file_->fd())) == StorageKind::kNetwork) {
    SHOAL_RETURN_IF_ERROR(map->OpenCopy(size));
  }
  SHOAL_RETURN_IF_ERROR(map->ReadBlockTable());
  SHOAL_RETURN_IF_ERROR(map->Map(size));
  *out = std::move(map);
  return Status();
}

IndexMap::~IndexMap() {
  guard_.reset();
  if (base_ != nullptr && copy_ == nullptr) munmap(const_cast<uint8_t*>(base_), length_);
}

Status IndexMap::ReadHeader(uint64_t size) {
  uint8_t header[format::kHeaderLength];
  size_t got = 0;
  SHOAL_RETURN_IF_ERROR(ReadUpTo(file_->fd(), path_, 0, header, sizeof header, &got));
  if (got < sizeof format::kMagic || std::memcmp(header, format::kMagic, sizeof format::kMagic) != 0) {
    return Status(Code::kNotImage,
                  "expected the index of an image, found no magic number of one; give a file NAME.shoal")
        .At(path_, 0);
  }
  if (got < sizeof header) {
    return Status(Code::kTruncated, Expected("length of the header", sizeof header, got) + "; copy the index anew")
        .At(path_, static_cast<int64_t>(got));
  }

  const auto major = Load<uint16_t>(header + 8);
  if (major != format::kMajor) {
    return Status(Code::kVersion,
                  Expected("major version of the format", format::kMajor, major) + "; use a shoal that knows it")
        .At(path_, 8);
  }
  const auto features = Load<uint64_t>(header + 48);
  if (features != 0) {
    return Status(Code::kVersion, "feature bits " + std::to_string(features) + " are unknown; use a newer shoal")
        .At(path_, 48);
  }

  const auto stored = Load<uint32_t>(header + 60);
  Store<uint32_t>(header + 60, 0);
  const uint32_t computed = Crc32c(header, sizeof header);
  if (stored != computed) {
    return Status(Code::kChecksum, "CRC32C of the header: expected " + Hex(stored) + ", found " + Hex(computed) + kCure)
        .At(path_, 0);
  }

  const auto header_length = Load<uint32_t>(header + 12);
  if (header_length != format::kHeaderLength) {
    return MalformedAt(12, Expected("length of the header", format::kHeaderLength, header_length));
  }
  const auto block_size = Load<uint32_t>(header + 24);
  if (block_size != format::kBlockSize) return MalformedAt(24, Expected("block size", format::kBlockSize, block_size));
  const auto section_count = Load<uint32_t>(header + 28);
  if (section_count > format::kMaxSections) {
    return MalformedAt(28, Expected("sections, at most", format::kMaxSections, section_count));
  }
  const auto file_length = Load<uint64_t>(header + 16);
  if (size < file_length) {
    return Status(Code::kTruncated, Expected("length of the index", file_length, size) + "; copy it anew")
        .At(path_, static_cast<int64_t>(size));
  }
  if (size > file_length) return MalformedAt(16, Expected("length of the index", file_length, size));

  std::memcpy(id_, header + 32, sizeof id_);
  header_checksum_ = stored;
  block_table_checksum_ = Load<uint32_t>(header + 56);
  return ReadSections(header, file_length);
}

Status IndexMap::ReadSections(const uint8_t* header, uint64_t file_length) {
  const auto rows = Load<uint32_t>(header + 28);
  int64_t row_offsets[format::kLastSection + 1] = {};
  int64_t previous = -1;
  for (uint32_t i = 0; i < rows; i++) {
    const uint32_t row_offset = 64 + i * format::kSectionRowLength;
    const uint8_t* row = header + row_offset;
    const auto kind = Load<uint32_t>(row);
    if (static_cast<int64_t>(kind) <= previous) {
      return MalformedAt(row_offset, "section kinds: expected more than " + std::to_string(previous) + ", found " +
                                         std::to_string(kind));
    }
    previous = kind;
    if (kind == 0 || kind > format::kLastSection) {
      if ((Load<uint32_t>(row + 4) & format::kSectionEssential) == 0) continue;
      return Status(Code::kVersion,
                    "section kind " + std::to_string(kind) + " is essential and unknown; use a newer shoal")
          .At(path_, row_offset);
    }
    sections_[kind] = {Load<uint64_t>(row + 8), Load<uint64_t>(row + 16), Load<uint64_t>(row + 24)};
    present_[kind] = true;
    row_offsets[kind] = row_offset;
  }

  for (uint32_t kind = 1; kind <= format::kLastSection; kind++) {
    if (!present_[kind] && kRules[kind].must_stand)
      return MalformedAt(64, std::string("no section ") + kRules[kind].name);
  }
  const Range& blocks = section(Section::kBlocks);
  if (blocks.offset > file_length || blocks.length != file_length - blocks.offset) {
    return MalformedAt(row_offsets[1], Expected("end of the block table", file_length, blocks.offset + blocks.length));
  }
  for (uint32_t kind = 1; kind <= format::kLastSection; kind++) {
    if (present_[kind]) SHOAL_RETURN_IF_ERROR(CheckSection(kind, row_offsets[kind]));
  }
  return CheckCounts();
}

// Place and length of one section.
Status IndexMap::CheckSection(uint32_t kind, int64_t row_offset) const {
  const Range& range = sections_[kind];
  const SectionRule& rule = kRules[kind];
  const std::string name = std::string("section ") + rule.name;
  const bool is_entries = kind == static_cast<uint32_t>(Section::kEntries);
  const uint64_t alignment = is_entries ? format::kPageLength : format::kSectionAlignment;
  if (range.offset < format::kHeaderLength || range.offset % alignment != 0) {
    return MalformedAt(row_offset + 8, name + ": expected an offset of at least 4096 and a multiple of " +
                                           std::to_string(alignment) + ", found " + std::to_string(range.offset));
  }
  const uint64_t limit = section(Section::kBlocks).offset;
  if (kind != static_cast<uint32_t>(Section::kBlocks) &&
      (range.offset > limit || range.length > limit - range.offset)) {
    return MalformedAt(row_offset + 8, name + ": expected to end at or before the block table at " +
                                           std::to_string(limit) + ", found offset " + std::to_string(range.offset) +
                                           " and length " + std::to_string(range.length));
  }
  uint64_t row_length = rule.row_length;
  uint64_t rows = range.count;
  if (is_entries) {
    row_length = format::kPageLength;
    rows = DivideUp(range.count, format::kPageEntries);
  }
  if (row_length != 0 && (range.length % row_length != 0 || range.length / row_length != rows)) {
    return MalformedAt(row_offset + 16, name + ": expected " + std::to_string(rows) + " × " +
                                            std::to_string(row_length) + " bytes, found " +
                                            std::to_string(range.length));
  }
  if (kind == static_cast<uint32_t>(Section::kVolumes) && range.count > range.length / format::kVolumeRowLength) {
    return MalformedAt(row_offset + 24, name + ": expected room for " + std::to_string(range.count) + " rows, found " +
                                            std::to_string(range.length) + " bytes");
  }
  return Status();
}

// What the number of entries says about other sections.
Status IndexMap::CheckCounts() const {
  const uint64_t entries = section(Section::kEntries).count;
  if (entries == 0 || entries > format::kMaxEntries) {
    return MalformedAt(64, Expected("entries, from 1 to", format::kMaxEntries, entries));
  }
  const Range& blocks = section(Section::kBlocks);
  const uint64_t block_count = DivideUp(blocks.offset - format::kHeaderLength, format::kBlockSize);
  if (blocks.count != block_count) return MalformedAt(64, Expected("blocks", block_count, blocks.count));
  const uint64_t group_count = DivideUp(entries, format::kNameGroupEntries);
  const uint64_t found_groups = section(Section::kNameGroups).count;
  if (found_groups != group_count) return MalformedAt(64, Expected("name groups", group_count, found_groups));
  const uint64_t bucket_count = std::max<uint64_t>(1, DivideUp(entries - 1, format::kBucketFill));
  const uint64_t found_buckets = section(Section::kHash).count;
  if (found_buckets != bucket_count) return MalformedAt(64, Expected("hash buckets", bucket_count, found_buckets));
  return Status();
}

// The header's checksums say which bytes an index has, but whoever writes one can make them come out as those of
// another: which file it is is therefore part of the name, so that nobody is answered from the copy of another's file.
Status IndexMap::OpenCopy(uint64_t size) {
  struct stat info;
  if (fstat(file_->fd(), &info) != 0) return Status::FromErrno("cannot stat", path_, errno);
  char name[160];
  int length = std::snprintf(name, sizeof name, "1-");  // the version of the copy's layout
  for (const uint8_t byte : id_) length += std::snprintf(name + length, sizeof name - length, "%02x", byte);
  std::snprintf(name + length, sizeof name - length, "-%08x%08x-%llx-%llx-%llx", header_checksum_,
                block_table_checksum_, static_cast<unsigned long long>(size),
                static_cast<unsigned long long>(info.st_dev), static_cast<unsigned long long>(info.st_ino));
  const Status status = NodeCopy::Open(file_.get(), name, section(Section::kBlocks).offset, size, &copy_);
  // Where files of this length are not allowed the index is mapped where it lies.
  return status.code() == Code::kUnsupported ? Status() : status;
}

Status IndexMap::ReadBlockTable() {
  Range& blocks = sections_[static_cast<uint32_t>(Section::kBlocks)];
  if (blocks.length > format::kMaxAnswer) {
    return Malformed(Section::kBlocks, 0,
                     Expected("bytes of the block table, at most", format::kMaxAnswer, blocks.length));
  }
  block_checksums_.resize(blocks.count);
  uint32_t found = 0;
  if (copy_ != nullptr) {
    SHOAL_RETURN_IF_ERROR(copy_->ReadTable(&block_checksums_, block_table_checksum_, &found));
  } else {
    SHOAL_RETURN_IF_ERROR(ReadExact(file_->fd(), path_, blocks.offset, block_checksums_.data(), blocks.length));
    found = Crc32c(block_checksums_.data(), blocks.length);
  }
  SHOAL_RETURN_IF_ERROR(CheckBlockTable(found));
  blocks.length = 0;  // no block covers it, so At must give nothing of it
  verified_.reset(new std::atomic<uint64_t>[DivideUp(block_checksums_.size(), 64)]());
  return Status();
}

Status IndexMap::CheckBlockTable(uint32_t found) const {
  if (found == block_table_checksum_) return Status();
  return Status(Code::kChecksum,
                "CRC32C of the block table: expected " + Hex(block_table_checksum_) + ", found " + Hex(found) + kCure)
      .At(path_, static_cast<int64_t>(section(Section::kBlocks).offset));
}

Status IndexMap::Map(uint64_t size) {
  if (copy_ != nullptr) {
    base_ = copy_->base();
    guard_.reset(new FaultGuard(copy_->map(), copy_->map_length()));
    copy_->Start(&block_checksums_);
    return Status();
  }
  void* base = MapForRead(file_->fd(), size);
  if (base == MAP_FAILED) return Status::FromErrno("cannot map", path_, errno);
  base_ = static_cast<const uint8_t*>(base);
  length_ = size;
  guard_.reset(new FaultGuard(base, size));
  return Status();
}

Status IndexMap::Recover() const {
  if (copy_ != nullptr) {
    return Status(Code::kIo, "somebody cut the copy of the index in memory of this node short; unmount, and mount anew")
        .At(path_);
  }
  struct stat info;
  if (fstat(file_->fd(), &info) != 0) return Status::FromErrno("cannot stat", path_, errno);
  const auto size = static_cast<uint64_t>(info.st_size);
  if (size < length_) {
    return Status(Code::kTruncated,
                  Expected("length of the index as at opening", length_, size) + "; put it back, or mount anew")
        .At(path_, info.st_size);
  }
  if (!guard_->Heal(file_->fd())) return Status::FromErrno("cannot map", path_, errno);
  return Status();
}

uint64_t IndexMap::BlockLength(uint64_t block) const {
  return std::min<uint64_t>(format::kBlockSize, section(Section::kBlocks).offset - BlockStart(block));
}

bool IndexMap::Verify(uint64_t block) const {
  if (copy_ != nullptr) {
    uint32_t found;
    if (!copy_->Load(block, &found).ok() || found != block_checksums_[block]) return false;
    verified_[block / 64].fetch_or(uint64_t{1} << (block % 64), std::memory_order_release);
    return true;
  }
  const uint8_t* start = base_ + BlockStart(block);
  const uint64_t length = BlockLength(block);
  // The block in one request to storage, not page by page as MADV_RANDOM would.
  static const uintptr_t page_mask = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE)) - 1;
  const uintptr_t into_page = reinterpret_cast<uintptr_t>(start) & page_mask;
  madvise(const_cast<uint8_t*>(start - into_page), length + into_page, MADV_WILLNEED);
  if (Crc32c(start, length) != block_checksums_[block]) return false;
  verified_[block / 64].fetch_or(uint64_t{1} << (block % 64), std::memory_order_release);
  return true;
}

Status IndexMap::Failure(Section kind, uint64_t offset, uint64_t length) const {
  const Range& range = section(kind);
  if (length > format::kMaxAnswer) {
    return Malformed(kind, 0, Expected("bytes at once, at most", format::kMaxAnswer, length));
  }
  if (offset > range.length || length > range.length - offset) {
    return Malformed(kind, std::min(offset, range.length),
                     std::string("section ") + NameOf(kind) + ": expected " + std::to_string(length) + " bytes at " +
                         std::to_string(offset) + ", found a length of " + std::to_string(range.length));
  }
  const uint64_t last = BlockOf(range.offset + offset + length - 1);
  for (uint64_t block = BlockOf(range.offset + offset); block <= last; block++) {
    if (!IsVerified(block)) return BlockFailure(block);
  }
  return BlockFailure(last);
}

Status IndexMap::CheckBlocks() const {
  const uint64_t count = block_checksums_.size();
  if (copy_ != nullptr) {
    std::vector<uint32_t> table(count);
    const uint64_t offset = section(Section::kBlocks).offset;
    SHOAL_RETURN_IF_ERROR(file_->Read(offset, table.data(), count * sizeof(uint32_t), kNetworkRetries));
    SHOAL_RETURN_IF_ERROR(CheckBlockTable(Crc32c(table.data(), count * sizeof(uint32_t))));
  }
  for (uint64_t block = 0; block < count; block++) {
    if (copy_ != nullptr) {
      SHOAL_RETURN_IF_ERROR(CheckStored(block));
    } else if (!IsVerified(block) && !Verify(block)) {
      return BlockFailure(block);
    }
  }
  return Status();
}

// The block as it lies on storage, whatever the copy has.
Status IndexMap::CheckStored(uint64_t block) const {
  uint8_t bytes[format::kBlockSize];
  const size_t length = BlockLength(block);
  SHOAL_RETURN_IF_ERROR(file_->Read(BlockStart(block), bytes, length, kNetworkRetries));
  const uint32_t found = Crc32c(bytes, length);
  return found == block_checksums_[block] ? Status() : BlockMismatch(block, found);
}

Status IndexMap::BlockFailure(uint64_t block) const {
  uint32_t found;
  if (copy_ != nullptr) {
    SHOAL_RETURN_IF_ERROR(copy_->Load(block, &found));
  } else {
    found = Crc32c(base_ + BlockStart(block), BlockLength(block));
  }
  if (found != block_checksums_[block]) return BlockMismatch(block, found);
  return Status(Code::kIo, "storage gave different bytes for the same place of the index; try again")
      .At(path_, static_cast<int64_t>(BlockStart(block)));
}

Status IndexMap::BlockMismatch(uint64_t block, uint32_t found) const {
  return Status(Code::kChecksum, "CRC32C of block " + std::to_string(block) + ": expected " +
                                     Hex(block_checksums_[block]) + ", found " + Hex(found) + kCure)
      .At(path_, static_cast<int64_t>(BlockStart(block)));
}

Status IndexMap::Malformed(Section kind, uint64_t offset, std::string message) const {
  return MalformedAt(static_cast<int64_t>(section(kind).offset + offset), std::move(message));
}

Status IndexMap::MalformedAt(int64_t file_offset, std::string message) const {
  return Status(Code::kMalformed, std::move(message) + kCure).At(path_, file_offset);
}

}  // namespace shoal
