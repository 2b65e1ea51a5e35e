#include "pack/pax_records.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "core/bytes.h"
#include "pack/acl_text.h"
#include "pack/decimal.h"

namespace shoal::tar {
namespace {

using std::string_view;

constexpr string_view kSchilyXattr = "SCHILY.xattr.";
constexpr string_view kSchilyAcl = "SCHILY.acl.";
constexpr size_t kLeastAcl = 4 + 3 * 8;
constexpr string_view kLibarchiveXattr = "LIBARCHIVE.xattr.";
constexpr string_view kGnuSparse = "GNU.sparse.";

bool TakePrefix(string_view prefix, string_view* text) {
  if (text->substr(0, prefix.size()) != prefix) return false;
  text->remove_prefix(prefix.size());
  return true;
}

bool ParseSigned(string_view text, int64_t* out) {
  const bool negative = !text.empty() && text[0] == '-';
  uint64_t value;
  if (!ParseDecimal(text.substr(negative ? 1 : 0), &value)) return false;
  *out = negative ? -static_cast<int64_t>(value) : static_cast<int64_t>(value);
  return true;
}

// "1.5e-05": not what POSIX says, but what Python's tarfile writes of very small and very large times.
bool ParseExponent(string_view text, PaxTime* out) {
  const std::string terminated(text);
  char* end = nullptr;
  const double value = std::strtod(terminated.c_str(), &end);
  constexpr double kLimit = 9007199254740992.0;  // 2^53
  if (end != terminated.c_str() + terminated.size() || !(value > -kLimit && value < kLimit)) return false;
  const double whole = std::floor(value);
  out->seconds = static_cast<int64_t>(whole);
  out->nanoseconds = static_cast<uint32_t>((value - whole) * 1e9);
  return true;
}

// "-12.345": digits below the nanosecond are dropped towards the past, as GNU tar does.
bool ParseTime(string_view text, PaxTime* out) {
  if (text.find_first_of("eE") != string_view::npos) return ParseExponent(text, out);
  const size_t point = std::min(text.find('.'), text.size());
  const string_view fraction = text.substr(std::min(point + 1, text.size()));
  if (!ParseSigned(text.substr(0, point), &out->seconds)) return false;
  uint32_t nanoseconds = 0;
  bool more = false;
  for (size_t i = 0; i < fraction.size(); i++) {
    if (fraction[i] < '0' || fraction[i] > '9') return false;
    if (i < 9) {
      nanoseconds = nanoseconds * 10 + static_cast<uint32_t>(fraction[i] - '0');
    } else {
      more = more || fraction[i] != '0';
    }
  }
  for (size_t i = fraction.size(); i < 9; i++) nanoseconds *= 10;
  if (text[0] == '-') {
    if (more) nanoseconds++;  // at most 10^9
    if (nanoseconds > 0) {
      out->seconds--;
      nanoseconds = 1000000000 - nanoseconds;
    }
  }
  out->nanoseconds = nanoseconds;
  return true;
}

int HexDigit(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
  return -1;
}

// GNU tar writes `%` and `=` of a name as %25 and %3D, and nothing else, so nothing else is undone where `all` is not
// set.
std::string PercentDecode(string_view text, bool all) {
  std::string out;
  for (size_t i = 0; i < text.size(); i++) {
    if (text[i] == '%' && i + 2 < text.size() && HexDigit(text[i + 1]) >= 0 && HexDigit(text[i + 2]) >= 0) {
      const char byte = static_cast<char>(HexDigit(text[i + 1]) << 4 | HexDigit(text[i + 2]));
      if (all || byte == '%' || byte == '=') {
        out.push_back(byte);
        i += 2;
        continue;
      }
    }
    out.push_back(text[i]);
  }
  return out;
}

int Base64Digit(char digit) {
  if (digit >= 'A' && digit <= 'Z') return digit - 'A';
  if (digit >= 'a' && digit <= 'z') return digit - 'a' + 26;
  if (digit >= '0' && digit <= '9') return digit - '0' + 52;
  if (digit == '+') return 62;
  if (digit == '/') return 63;
  return -1;
}

bool Base64Decode(string_view text, std::string* out) {
  while (!text.empty() && text.back() == '=') text.remove_suffix(1);
  uint32_t bits = 0;
  int count = 0;
  for (char digit : text) {
    const int value = Base64Digit(digit);
    if (value < 0) return false;
    bits = bits << 6 | static_cast<uint32_t>(value);
    count += 6;
    if (count >= 8) {
      count -= 8;
      out->push_back(static_cast<char>(bits >> count & 0xFF));
    }
  }
  return true;
}

void SetXattr(std::string name, std::string value, PaxFields* fields) {
  if (name.empty() || name.size() > UINT16_MAX || name.find('\0') != std::string::npos) return;
  fields->xattrs.emplace_back(std::move(name), std::move(value));
}

template <typename T, typename Parse>
bool SetValue(string_view text, std::optional<T>* field, const Parse& parse) {
  if (text.empty()) {
    field->reset();
    return true;
  }
  return parse(text, &field->emplace());
}

void SetText(string_view text, std::optional<std::string>* field) {
  if (text.empty()) {
    field->reset();
  } else {
    field->emplace(text);
  }
}

bool SetSparse(string_view key, string_view value, PaxFields* fields) {
  PaxSparse& sparse = fields->sparse;
  if (key == "major") return SetValue(value, &sparse.major, ParseDecimal);
  if (key == "minor") return SetValue(value, &sparse.minor, ParseDecimal);
  if (key == "realsize" || key == "size") return SetValue(value, &sparse.real_size, ParseDecimal);
  if (key == "numblocks") return SetValue(value, &sparse.row_count, ParseDecimal);
  if (key == "name") SetText(value, &fields->sparse_name);
  if (key == "map") sparse.rows.assign(value);
  if (key == "offset" || key == "numbytes") {
    if (!sparse.rows.empty()) sparse.rows.push_back(',');
    sparse.rows.append(value);
  }
  return true;
}

// Keywords that cannot be meant for every member that follows.
bool IsOfOneMember(string_view key) {
  return key == "path" || key == "linkpath" || key == "size" || TakePrefix(kGnuSparse, &key) ||
         TakePrefix(kSchilyXattr, &key) || TakePrefix(kSchilyAcl, &key) || TakePrefix(kLibarchiveXattr, &key);
}

// False where the value is none of its keyword.
bool SetField(string_view key, string_view value, PaxFields* fields) {
  if (key == "mtime") return SetValue(value, &fields->mtime, ParseTime);
  if (key == "size") return SetValue(value, &fields->size, ParseDecimal);
  if (key == "uid") return SetValue(value, &fields->uid, ParseSigned);
  if (key == "gid") return SetValue(value, &fields->gid, ParseSigned);
  if (key == "path") SetText(value, &fields->path);
  if (key == "linkpath") SetText(value, &fields->link_path);
  if (key == "comment") SetText(value, &fields->comment);
  if (TakePrefix(kGnuSparse, &key)) return SetSparse(key, value, fields);
  if (TakePrefix(kSchilyXattr, &key)) SetXattr(PercentDecode(key, false), std::string(value), fields);
  if (TakePrefix(kSchilyAcl, &key) && (key == "access" || key == "default")) {
    std::string list;
    if (!ParseAclText(value, &list)) return false;
    // One with the owner, the owning group and others alone says no more than the mode does.
    if (list.size() > (key == "access" ? kLeastAcl : 0))
      SetXattr("system.posix_acl_" + std::string(key), std::move(list), fields);
  }
  if (TakePrefix(kLibarchiveXattr, &key)) {
    std::string bytes;
    if (!Base64Decode(value, &bytes)) return false;
    SetXattr(PercentDecode(key, true), std::move(bytes), fields);
  }
  return true;
}

Status Damaged(const std::string& message, size_t offset) {
  return Status(Code::kMalformed, message).At("", static_cast<int64_t>(offset));
}

}  // namespace

Status ReadPaxRecords(string_view records, bool global, PaxFields* fields) {
  size_t at = 0;
  while (at < records.size()) {
    if (records.find_first_not_of('\0', at) == string_view::npos) break;  // some writers pad within the size
    const string_view rest = records.substr(at);
    const size_t blank = rest.substr(0, 20).find(' ');
    uint64_t length = 0;
    if (blank == string_view::npos || !ParseDecimal(rest.substr(0, blank), &length) || length < blank + 3 ||
        length > rest.size() || rest[length - 1] != '\n') {
      return Damaged("expected an extended header record `LENGTH KEY=VALUE`, found something else", at);
    }
    const string_view record = rest.substr(blank + 1, length - blank - 2);
    const size_t equals = record.find('=');
    if (equals == string_view::npos || equals == 0) {
      return Damaged("expected an extended header record `LENGTH KEY=VALUE`, found one without a key", at);
    }
    const string_view key = record.substr(0, equals);
    if (global && IsOfOneMember(key)) {
      return Status(Code::kUnsupported,
                    "the keyword `" + std::string(key) + "` in a global header, for all members, is not supported")
          .At("", static_cast<int64_t>(at));
    }
    if (!SetField(key, record.substr(equals + 1), fields)) {
      return Damaged("expected a value that fits the keyword `" + std::string(key) + "`, found `" +
                         std::string(record.substr(equals + 1, 80)) + "`",
                     at);
    }
    at += length;
  }
  return Status();
}

void EncodeXattrs(const std::vector<std::pair<std::string, std::string>>& xattrs, std::string* set) {
  set->clear();
  if (xattrs.empty()) return;
  std::vector<const std::pair<std::string, std::string>*> sorted;
  for (const auto& xattr : xattrs) sorted.push_back(&xattr);
  std::stable_sort(sorted.begin(), sorted.end(), [](const auto* a, const auto* b) { return a->first < b->first; });
  const auto kept =
      std::unique(sorted.rbegin(), sorted.rend(), [](const auto* a, const auto* b) { return a->first == b->first; });
  sorted.erase(sorted.begin(), kept.base());
  const auto append = [set](const void* bytes, size_t size) { set->append(static_cast<const char*>(bytes), size); };
  const uint32_t count = static_cast<uint32_t>(sorted.size());
  append(&count, sizeof count);
  for (const auto* xattr : sorted) {
    const uint16_t name_length = static_cast<uint16_t>(xattr->first.size());
    const uint32_t value_length = static_cast<uint32_t>(xattr->second.size());
    append(&name_length, sizeof name_length);
    append(&value_length, sizeof value_length);
    set->append(xattr->first).append(xattr->second);
  }
}

}  // namespace shoal::tar
