#include "pack/tar_reader.h"

#include <algorithm>
#include <cstring>

#include "pack/foreign_kind.h"
#include "pack/sparse_map.h"

namespace shoal::tar {
namespace {

using std::string_view;

// Long names and extended headers beyond this are refused: nothing real comes near, and each is held in memory.
constexpr uint64_t kLongestExtension = 64 << 20;
// Times and sizes pass through JavaScript's numbers.
constexpr int64_t kLargestNumber = int64_t{1} << 53;

constexpr uint32_t kFile = 0100000;
constexpr uint32_t kDirectory = 0040000;
constexpr uint32_t kSymlink = 0120000;
constexpr uint32_t kCharacterDevice = 0020000;
constexpr uint32_t kBlockDevice = 0060000;
constexpr uint32_t kFifo = 0010000;

bool IsPosix(const uint8_t* block) { return std::memcmp(block + kMagic.offset, "ustar\0", 6) == 0; }
bool IsGnu(const uint8_t* block) { return std::memcmp(block + kMagic.offset, "ustar  \0", kMagic.length) == 0; }

// star fills the end of the prefix field with two times; GNU tar's test for it.
bool IsStar(const uint8_t* block) {
  const auto is_time = [block](Field field) {
    return block[field.offset] >= '0' && block[field.offset] <= '7' && block[field.offset + field.length - 1] == ' ';
  };
  return block[kStarPrefix.offset + kStarPrefix.length - 1] == 0 && is_time(kStarAccessTime) &&
         is_time(kStarChangeTime);
}

void HeaderPath(const uint8_t* block, std::string* out) {
  out->clear();
  if (IsPosix(block)) {
    const string_view prefix = Text(block, IsStar(block) ? kStarPrefix : kPrefix);
    if (!prefix.empty()) out->append(prefix).push_back('/');
  }
  out->append(Text(block, kName));
}

uint32_t TypeBits(uint8_t type, string_view path) {
  switch (type) {
    case '2':
      return kSymlink;
    case '3':
      return kCharacterDevice;
    case '4':
      return kBlockDevice;
    case '5':
    case 'D':
      return kDirectory;
    case '6':
      return kFifo;
    case '0':
    case '7':
    case '\0':
      return !path.empty() && path.back() == '/' ? kDirectory : kFile;  // before POSIX directories were files
    default:
      return kFile;  // as POSIX asks
  }
}

// Types whose size tells of no data: POSIX, and what GNU tar and libarchive do.
bool HasNoData(uint8_t type) { return type >= '2' && type <= '6'; }

}  // namespace

Status TarReader::Open(const std::string& path) {
  SHOAL_RETURN_IF_ERROR(window_.Open(path));
  return CheckBeginning();
}

Status TarReader::OpenStream(ArchiveStream* stream) {
  window_.OpenStream(stream);
  return CheckBeginning();
}

Status TarReader::CheckBeginning() {
  bool has_block;
  SHOAL_RETURN_IF_ERROR(window_.Has(0, kBlock, &has_block));
  if (window_.size() == 0) return Damaged(Code::kMalformed, "expected a tar, found an empty file");
  const size_t length = has_block ? kBlock : static_cast<size_t>(window_.size());
  const uint8_t* block;
  SHOAL_RETURN_IF_ERROR(window_.View(0, length, &block));
  if (length == kBlock && (IsZeroBlock(block) || ChecksumMatches(block))) return Status();
  if (length == kBlock && (IsPosix(block) || IsGnu(block))) return Status();  // a damaged tar: Next says where
  if (const ForeignKind* kind = FindForeignKind(block, length)) {
    const std::string name = kind->name;
    if (window_.is_stream()) {
      return Damaged(Code::kUnsupported, kind->compressed
                                             ? "expected a tar, found a " + name +
                                                   " file; decompress it first, and hand it over with --from-archive -"
                                             : "expected a tar, found " + name + "; extract it and pack the directory");
    }
    return Damaged(Code::kUnsupported,
                   kind->compressed
                       ? "expected an uncompressed tar, found a " + name +
                             " file; only uncompressed tar files can be indexed in place: decompress it first"
                       : "expected an uncompressed tar, found " + name);
  }
  return Damaged(Code::kMalformed, "expected a tar, found something else: its first block is no tar header");
}

Status TarReader::Next(Item* item, Member* member) {
  while (true) {
    const uint8_t* block;
    bool end;
    SHOAL_RETURN_IF_ERROR(ViewHeader(&block, &end));
    if (end) {
      if (extended_ || !long_path_.empty() || !long_link_.empty()) {
        return Damaged(Code::kTruncated,
                       "expected the member that the last header describes, found the end of the archive");
      }
      *item = Item::kEnd;
      return Status();
    }
    const uint8_t type = block[kType];
    std::string data;
    switch (type) {
      case 'x':
      case 'X':  // Sun's, before POSIX took it over
        SHOAL_RETURN_IF_ERROR(ReadExtension(block, &data));
        if (!extended_) local_ = global_;
        extended_ = true;
        SHOAL_RETURN_IF_ERROR(ReadRecords(data, false));
        break;
      case 'g':
        SHOAL_RETURN_IF_ERROR(ReadExtension(block, &data));
        SHOAL_RETURN_IF_ERROR(ReadRecords(data, true));
        if (!comment_.empty()) {
          *item = Item::kComment;
          return Status();
        }
        break;
      case 'L':
      case 'K':
        SHOAL_RETURN_IF_ERROR(ReadExtension(block, &data));
        data.resize(std::min(data.find('\0'), data.size()));
        (type == 'L' ? long_path_ : long_link_) = std::move(data);
        break;
      case 'V':  // a volume label
      case 'A':  // Solaris access control lists
        SHOAL_RETURN_IF_ERROR(ReadExtension(block, &data));
        break;
      case 'M':
        return Damaged(Code::kUnsupported,
                       "found the continuation of a multi-volume tar; join the volumes by extracting and packing them");
      case 'N':
        return Damaged(
            Code::kUnsupported,
            "found long names in the way of GNU tar before 1990, which is not supported; write the archive anew");
      default:
        *item = Item::kMember;
        return ReadMember(block, member);
    }
  }
}

// *block is the next header; *end where there is none.
Status TarReader::ViewHeader(const uint8_t** block, bool* end) {
  bool more;
  SHOAL_RETURN_IF_ERROR(window_.Has(offset_, 1, &more));
  if (!more && data_end_ > size()) {  // of a stream that is known only now
    return Damaged(Code::kTruncated, "expected the data of the last member up to " + std::to_string(data_end_) +
                                         ", found the end at " + std::to_string(size()) +
                                         "; the archive is incomplete, copy it anew");
  }
  *end = !more;
  if (*end) return Status();
  SHOAL_RETURN_IF_ERROR(window_.View(offset_, kBlock, block));
  if (IsZeroBlock(*block)) {
    *end = true;
    return SeeEnd();
  }
  if (ChecksumMatches(*block)) return Status();
  int64_t stored = 0;
  const bool readable = Number(*block, kChecksum, &stored);
  return Damaged(Code::kChecksum, "expected a tar header with checksum " + std::to_string(ComputeChecksum(*block)) +
                                      ", found " + (readable ? std::to_string(stored) : std::string("no number")) +
                                      "; the archive is damaged here");
}

Status TarReader::SeeEnd() {
  bool more;
  SHOAL_RETURN_IF_ERROR(window_.Has(offset_, 2 * kBlock, &more));
  if (!more) return Status();
  const uint8_t* block;
  SHOAL_RETURN_IF_ERROR(window_.View(offset_ + kBlock, kBlock, &block));
  ended_properly_ = IsZeroBlock(block);
  if (!ended_properly_) ignored_from_ = offset_ + kBlock;
  return Status();
}

Status TarReader::StoredSize(const uint8_t* block, uint64_t* out) {
  int64_t size;
  if (!Number(block, kSize, &size) || size < 0)
    return Damaged(Code::kMalformed, "expected the size of a member, found no such number");
  *out = static_cast<uint64_t>(size);
  return Status();
}

// Reads the data of a header that is no member, and moves behind it.
Status TarReader::ReadExtension(const uint8_t* block, std::string* data) {
  uint64_t length;
  SHOAL_RETURN_IF_ERROR(StoredSize(block, &length));
  if (length > kLongestExtension)
    return Damaged(Code::kMalformed,
                   "expected an extended header of at most 64 MiB, found " + std::to_string(length) + " bytes");
  const uint8_t* bytes;
  SHOAL_RETURN_IF_ERROR(window_.View(offset_ + kBlock, static_cast<size_t>(length), &bytes));
  data->assign(reinterpret_cast<const char*>(bytes), static_cast<size_t>(length));
  extension_offset_ = offset_ + kBlock;
  offset_ = std::min(offset_ + kBlock + Blocks(length), size());
  return Status();
}

Status TarReader::ReadRecords(string_view records, bool global) {
  Status status = ReadPaxRecords(records, global, global ? &global_ : &local_);
  if (!status.ok()) {
    const int64_t offset = static_cast<int64_t>(extension_offset_) + std::max<int64_t>(status.offset(), 0);
    return Status(status.code(), status.message()).At(window_.path(), offset);
  }
  if (global) {
    comment_ = std::move(global_.comment).value_or(std::string());
    global_.comment.reset();
  }
  return Status();
}

Status TarReader::ReadMember(const uint8_t* block, Member* member) {
  const PaxFields& pax = extended_ ? local_ : global_;
  const uint8_t type = block[kType];
  member->header_offset = offset_;
  if (pax.sparse_name) {
    member->path = *pax.sparse_name;
  } else if (pax.path) {
    member->path = *pax.path;
  } else if (!long_path_.empty()) {
    member->path = long_path_;
  } else {
    HeaderPath(block, &member->path);
  }
  if (pax.link_path) {
    member->link_target = *pax.link_path;
  } else if (!long_link_.empty()) {
    member->link_target = long_link_;
  } else {
    member->link_target = Text(block, kLinkName);
  }
  member->hard_link = type == '1';
  member->comment = pax.comment.value_or(std::string());

  TreeEntry& entry = member->entry;
  entry = TreeEntry();
  SHOAL_RETURN_IF_ERROR(ReadMetadata(block, pax, TypeBits(type, member->path), &entry));
  if (pax.xattrs.empty()) {
    member->xattrs.clear();
  } else {
    EncodeXattrs(pax.xattrs, &member->xattrs);
  }
  entry.xattrs = member->xattrs;
  entry.link_target = member->link_target;

  Place place;
  SHOAL_RETURN_IF_ERROR(StoredSize(block, &place.stored));
  if (pax.size) place.stored = *pax.size;
  if (HasNoData(type)) place.stored = 0;
  place.data_offset = offset_ + kBlock;
  const bool old_sparse = type == 'S';
  if (old_sparse || pax.sparse.real_size || pax.sparse.major) {
    if (entry.mode >> 12 == kFile >> 12) {
      uint8_t copy[kBlock];  // the window moves while the map is read
      std::memcpy(copy, block, kBlock);
      return ReadSparse(copy, pax, place, member);
    }
  }
  if (member->hard_link && place.stored > 0) {
    bool has_data;
    SHOAL_RETURN_IF_ERROR(LinkHasData(&has_data));
    if (!has_data) place.stored = 0;
  }
  if (entry.mode >> 12 == kFile >> 12) {
    entry.size = place.stored;
    entry.offset = place.data_offset;
  }
  return MoveBehind(place, *member);
}

Status TarReader::MoveBehind(const Place& place, const Member& member) {
  const uint64_t left = size() - std::min(place.data_offset, size());
  if (place.stored > left) {
    return Damaged(Code::kTruncated, "expected " + std::to_string(place.stored) + " bytes of `" + member.path +
                                         "` from " + std::to_string(place.data_offset) +
                                         " on, found the end of the file at " + std::to_string(size()) +
                                         "; the archive is incomplete, copy it anew");
  }
  data_end_ = place.data_offset + place.stored;
  offset_ = std::min(place.data_offset + Blocks(place.stored), size());
  extended_ = false;
  long_path_.clear();
  long_link_.clear();
  return Status();
}

Status TarReader::ReadMetadata(const uint8_t* block, const PaxFields& pax, uint32_t type, TreeEntry* entry) {
  int64_t mode;
  const uint32_t unknown_mode = type == kDirectory ? 0755 : 0644;
  entry->mode = type | (Number(block, kMode, &mode) ? static_cast<uint32_t>(mode) & 07777 : unknown_mode);
  SHOAL_RETURN_IF_ERROR(ReadOwner(pax.uid, block, kUid, &entry->uid));
  SHOAL_RETURN_IF_ERROR(ReadOwner(pax.gid, block, kGid, &entry->gid));
  if (pax.mtime) {
    entry->seconds = pax.mtime->seconds;
    entry->nanoseconds = pax.mtime->nanoseconds;
  } else if (!Number(block, kMtime, &entry->seconds)) {
    entry->seconds = 0;
  }
  if (entry->seconds > kLargestNumber || entry->seconds < -kLargestNumber) {
    return Damaged(Code::kMalformed,
                   "expected a time of at most 2^53 seconds around 1970, found " + std::to_string(entry->seconds));
  }
  if (type == kCharacterDevice || type == kBlockDevice) return ReadDevice(block, entry);
  return Status();
}

// A field that is no number counts as unknown, which is 0. A negative one is what 32 bits make of it: -2 is `nobody` on
// some systems.
Status TarReader::ReadOwner(const std::optional<int64_t>& pax, const uint8_t* block, Field field, uint32_t* out) {
  int64_t value = 0;
  if (pax) {
    value = *pax;
  } else if (!Number(block, field, &value)) {
    value = 0;
  }
  if (value < INT32_MIN || value > UINT32_MAX) {
    return Damaged(Code::kMalformed, "expected an owner or group of 32 bits, found " + std::to_string(value));
  }
  *out = static_cast<uint32_t>(value);
  return Status();
}

Status TarReader::ReadDevice(const uint8_t* block, TreeEntry* entry) {
  if (!IsPosix(block) && !IsGnu(block)) return Status();
  int64_t major;
  int64_t minor;
  if (!Number(block, kDeviceMajor, &major) || !Number(block, kDeviceMinor, &minor) || major < 0 || minor < 0 ||
      major > UINT32_MAX || minor > UINT32_MAX) {
    return Damaged(Code::kMalformed, "expected device numbers of 32 bits, found something else");
  }
  entry->device_major = static_cast<uint32_t>(major);
  entry->device_minor = static_cast<uint32_t>(minor);
  return Status();
}

Status TarReader::ReadSparse(const uint8_t* block, const PaxFields& pax, Place place, Member* member) {
  const bool old = block[kType] == 'S';
  if (old && !IsGnu(block)) {
    return Damaged(Code::kUnsupported,
                   "found a sparse file in the way of star; write the archive with GNU tar or bsdtar");
  }
  const uint64_t major = pax.sparse.major.value_or(0);
  if (!old && (major > 1 || (major == 1 && pax.sparse.minor.value_or(0) != 0))) {
    return Damaged(Code::kUnsupported,
                   "expected a sparse file of GNU tar's formats 0.0, 0.1 or 1.0, found another one");
  }
  uint64_t real_size = pax.sparse.real_size.value_or(0);
  if (!pax.sparse.real_size) {
    int64_t value;
    if (!old || !Number(block, kGnuRealSize, &value) || value < 0) {
      return Damaged(Code::kMalformed, "expected the size of a sparse file, found no such number");
    }
    real_size = static_cast<uint64_t>(value);
  }
  if (real_size > static_cast<uint64_t>(kLargestNumber)) {
    return Damaged(Code::kUnsupported,
                   "expected a sparse file of at most 2^53 bytes, found " + std::to_string(real_size));
  }

  SparseMap map(real_size);
  Place data = place;
  const char* wrong = nullptr;
  if (old) {
    SHOAL_RETURN_IF_ERROR(ReadSparseBlocks(&window_, block, &data.data_offset, &map));
    place = data;
  } else if (major == 1) {
    SHOAL_RETURN_IF_ERROR(ReadSparseLines(&window_, &data.data_offset, &data.stored, &map));
  } else {
    wrong = ReadSparseText(pax.sparse.rows, pax.sparse.row_count.value_or(0), &map);
  }
  if (wrong == nullptr) wrong = map.Place(data.data_offset, data.stored);
  if (wrong != nullptr) return Damaged(Code::kMalformed, std::string(wrong) + "; the archive is damaged");

  TreeEntry& entry = member->entry;
  entry.size = real_size;
  entry.offset = data.data_offset;
  if (map.HasHoles()) {
    member->extents.swap(map.extents());
    entry.extents = &member->extents;
  }
  return MoveBehind(place, *member);
}

// Whether the hard link at offset_, whose header has a size, is followed by data: pax archives of cpio have it,
// elsewhere the size only tells that of the target (libarchive decides in the same way).
Status TarReader::LinkHasData(bool* has_data) {
  const uint64_t next = offset_ + kBlock;
  *has_data = false;
  bool more;
  SHOAL_RETURN_IF_ERROR(window_.Has(next, kBlock, &more));
  if (!more) return Status();
  const uint8_t* block;
  SHOAL_RETURN_IF_ERROR(window_.View(next, kBlock, &block));
  *has_data = !IsZeroBlock(block) && !ChecksumMatches(block);
  return Status();
}

Status TarReader::Damaged(Code code, const std::string& message) const {
  return Status(code, message).At(window_.path(), static_cast<int64_t>(offset_));
}

}  // namespace shoal::tar
