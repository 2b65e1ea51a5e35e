#include "pack/tar_header.h"

#include <cstring>

#include "core/bytes.h"

namespace shoal {
namespace {

// The ustar header block, POSIX.1-2017 pax, "ustar Interchange Format".
struct Field {
  size_t offset, size;
};
constexpr Field kName{0, 100}, kMode{100, 8}, kUid{108, 8}, kGid{116, 8}, kSize{124, 12}, kMtime{136, 12},
    kChecksum{148, 8}, kTarget{157, 100}, kMajorNumber{329, 8}, kMinorNumber{337, 8}, kPrefix{345, 155};
constexpr size_t kTypeAt = 156, kMagicAt = 257;
constexpr char kMagicAndVersion[] = {'u', 's', 't', 'a', 'r', '\0', '0', '0'};

constexpr uint64_t kMaxOf8 = 07777777;       // seven octal digits and a NUL
constexpr uint64_t kMaxOf12 = 077777777777;  // eleven

constexpr uint32_t kPlainMode = 0644;                // of headers that are no members
constexpr char kPaxName[] = "././@PaxHeader";        // what a reader that knows no pax makes of one
constexpr char kLongName[] = "././@LongLink";        // as GNU tar calls them
constexpr char kGlobalName[] = "pax_global_header";  // as git calls them

constexpr std::string_view kComment = "comment";

class HeaderBlock {
 public:
  HeaderBlock(TarType type, uint32_t mode) {
    block_[kTypeAt] = static_cast<char>(type);
    std::memcpy(block_ + kMagicAt, kMagicAndVersion, sizeof kMagicAndVersion);
    Number(kMode, mode);
    for (Field field : {kUid, kGid, kSize, kMtime, kMajorNumber, kMinorNumber}) Number(field, 0);
  }
  void Text(Field field, std::string_view text) {
    std::memcpy(block_ + field.offset, text.data(), std::min(text.size(), field.size));
  }
  void Number(Field field, uint64_t value) {
    for (size_t i = field.size - 1; i-- > 0; value >>= 3)
      block_[field.offset + i] = static_cast<char>('0' + (value & 7));
  }
  void AppendTo(std::string* to) {
    std::memset(block_ + kChecksum.offset, ' ', kChecksum.size);
    uint32_t sum = 0;
    for (char byte : block_) sum += static_cast<unsigned char>(byte);
    Number({kChecksum.offset, kChecksum.size - 1}, sum);
    block_[kChecksum.offset + kChecksum.size - 2] = '\0';
    to->append(block_, sizeof block_);
  }

 private:
  char block_[kTarBlock] = {};
};

void AppendPadding(std::string* to, uint64_t length) { to->append(Padded(length) - length, '\0'); }

void AppendWithData(TarType type, const char* name, std::string_view data, std::string* to) {
  HeaderBlock block(type, kPlainMode);
  block.Text(kName, name);
  block.Number(kSize, data.size());
  block.AppendTo(to);
  to->append(data);
  AppendPadding(to, data.size());
}

// Of "LENGTH KEY=VALUE\n", where LENGTH counts itself.
uint64_t RecordLength(uint64_t key_length, uint64_t value_length) {
  const uint64_t rest = key_length + value_length + 3;
  uint64_t length = rest + 1;
  while (rest + std::to_string(length).size() != length) length = rest + std::to_string(length).size();
  return length;
}

void AppendRecord(std::string_view key, std::string_view value, std::string* records) {
  records->append(std::to_string(RecordLength(key.size(), value.size()))).push_back(' ');
  records->append(key).push_back('=');
  records->append(value).push_back('\n');
}

void AppendRecord(std::string_view key, uint64_t value, std::string* records) {
  AppendRecord(key, std::to_string(value), records);
}

bool IsPrintableAscii(std::string_view text) {
  for (char c : text) {
    if (c < 0x20 || c > 0x7E) return false;
  }
  return true;
}

// Where `path` parts into prefix and name: the place of a `/` that leaves both short enough and the name not empty.
bool FindSplit(std::string_view path, size_t* at) {
  if (path.size() > kPrefix.size + 1 + kName.size) return false;
  const size_t first = path.size() - kName.size - 1;
  *at = path.find('/', first);
  return *at != std::string_view::npos && *at > 0 && *at <= kPrefix.size && *at + 1 < path.size();
}

void AppendXattrs(std::string_view set, std::string* records) {
  const char* at = set.data();
  const auto count = Load<uint32_t>(at);
  at += sizeof(uint32_t);
  for (uint32_t i = 0; i < count; i++) {
    const std::string_view name(at + 6, Load<uint16_t>(at));
    const std::string_view value(name.data() + name.size(), Load<uint32_t>(at + 2));
    std::string key = "SCHILY.xattr.";
    for (char c : name) {
      if (c == '%') {
        key.append("%25");
      } else if (c == '=') {
        key.append("%3D");
      } else {
        key.push_back(c);
      }
    }
    AppendRecord(key, value, records);
    at = value.data() + value.size();
  }
}

void AppendNumbers(const Member& member, std::string* records) {
  if (member.length > kMaxOf12) AppendRecord("size", member.length, records);
  if (member.uid > kMaxOf8) AppendRecord("uid", member.uid, records);
  if (member.gid > kMaxOf8) AppendRecord("gid", member.gid, records);
  if (member.nanoseconds != 0 || member.seconds < 0 || member.seconds > static_cast<int64_t>(kMaxOf12)) {
    AppendRecord("mtime", PaxTime(member.seconds, member.nanoseconds), records);
  }
  if (member.sparse) {
    AppendRecord("GNU.sparse.major", 1, records);
    AppendRecord("GNU.sparse.minor", 0, records);
    AppendRecord("GNU.sparse.realsize", member.real_size, records);
  }
  if (!member.comment.empty()) AppendRecord(kComment, member.comment, records);
}

uint64_t Clamped(int64_t value, uint64_t most) { return value < 0 ? 0 : std::min(static_cast<uint64_t>(value), most); }

}  // namespace

void AppendMemberHeader(const Member& member, std::string* to) {
  HeaderBlock block(member.type, member.mode);
  std::string records;

  size_t split = 0;
  if (member.path.size() > kName.size && FindSplit(member.path, &split)) {
    block.Text(kPrefix, member.path.substr(0, split));
    block.Text(kName, member.path.substr(split + 1));
  } else {
    block.Text(kName, member.path);
    if (member.path.size() > kName.size) {
      if (IsPrintableAscii(member.path)) {
        AppendRecord("path", member.path, &records);
      } else {
        AppendWithData(TarType::kLongName, kLongName, std::string(member.path) + '\0', to);
      }
    }
  }
  block.Text(kTarget, member.target);
  if (member.target.size() > kTarget.size) {
    if (IsPrintableAscii(member.target)) {
      AppendRecord("linkpath", member.target, &records);
    } else {
      AppendWithData(TarType::kLongLink, kLongName, std::string(member.target) + '\0', to);
    }
  }
  AppendNumbers(member, &records);
  if (!member.xattr_set.empty()) AppendXattrs(member.xattr_set, &records);
  if (!records.empty()) AppendWithData(TarType::kPax, kPaxName, records, to);

  // What does not fit stands in a record; the field then holds the nearest value, but for the size.
  block.Number(kUid, Clamped(member.uid, kMaxOf8));
  block.Number(kGid, Clamped(member.gid, kMaxOf8));
  block.Number(kSize, member.length > kMaxOf12 ? 0 : member.length);
  block.Number(kMtime, Clamped(member.seconds, kMaxOf12));
  // Linux has 12 bits of major and 20 of minor numbers: seven octal digits always do.
  block.Number(kMajorNumber, member.device_major);
  block.Number(kMinorNumber, member.device_minor);
  block.AppendTo(to);
}

void AppendSparseMap(const ExtentList& list, std::string* to) {
  const size_t start = to->size();
  const bool ends_in_hole =
      list.extents.empty() || list.extents.back().file_offset + list.extents.back().length < list.size;
  auto line = [to](uint64_t value) { to->append(std::to_string(value)).push_back('\n'); };
  line(list.extents.size() + ends_in_hole);
  for (const Extent& extent : list.extents) {
    line(extent.file_offset);
    line(extent.length);
  }
  if (ends_in_hole) {  // as GNU tar writes it: readers take the file's end from the last row
    line(list.size);
    line(0);
  }
  AppendPadding(to, to->size() - start);
}

void AppendGlobalComment(std::string_view text, std::string* to) {
  std::string records;
  AppendRecord(kComment, text, &records);
  AppendWithData(TarType::kGlobalPax, kGlobalName, records, to);
}

uint64_t GlobalCommentLength(uint64_t text_length) {
  return kTarBlock + Padded(RecordLength(kComment.size(), text_length));
}

std::string PaxTime(int64_t seconds, uint32_t nanoseconds) {
  constexpr uint32_t kSecond = 1'000'000'000;
  std::string text = seconds < 0 ? "-" : "";
  // Before 1970 nanoseconds still count forward from the second.
  uint64_t whole = seconds < 0 ? 0 - static_cast<uint64_t>(seconds) : static_cast<uint64_t>(seconds);
  uint32_t part = nanoseconds;
  if (seconds < 0 && nanoseconds != 0) {
    whole -= 1;
    part = kSecond - nanoseconds;
  }
  text += std::to_string(whole);
  if (part == 0) return text;
  std::string digits = std::to_string(part);
  digits.insert(0, 9 - digits.size(), '0');
  digits.erase(digits.find_last_not_of('0') + 1);
  return text + "." + digits;
}

}  // namespace shoal
