#include "pack/acl_text.h"

#include <grp.h>
#include <pwd.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <tuple>
#include <vector>

#include "pack/decimal.h"

namespace shoal::tar {
namespace {

using std::string_view;

// include/uapi/linux/posix_acl_xattr.h and posix_acl.h of Linux; the kernel wants the tags in this order.
constexpr uint32_t kVersion = 2;
constexpr uint16_t kUserObj = 0x01, kUser = 0x02, kGroupObj = 0x04, kGroup = 0x08, kMask = 0x10, kOther = 0x20;
constexpr uint32_t kNoId = 0xFFFFFFFF;

struct AclEntry {
  uint16_t tag;
  uint16_t permissions;
  uint32_t id;
};

std::vector<string_view> Split(string_view text, string_view separators) {
  std::vector<string_view> parts;
  for (size_t at = 0; at <= text.size();) {
    const size_t end = std::min(text.find_first_of(separators, at), text.size());
    parts.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return parts;
}

string_view Trim(string_view text) {
  const size_t comment = text.find('#');
  text = text.substr(0, comment);
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

bool ParsePermissions(string_view text, uint16_t* out) {
  *out = 0;
  for (char letter : text) {
    if (letter == 'r') {
      *out |= 4;
    } else if (letter == 'w') {
      *out |= 2;
    } else if (letter == 'x') {
      *out |= 1;
    } else if (letter != '-') {
      return false;
    }
  }
  return true;
}

bool ParseId(string_view text, uint32_t* out) {
  uint64_t value;
  if (!ParseDecimal(text, &value) || value >= kNoId) return false;
  *out = static_cast<uint32_t>(value);
  return true;
}

bool LookUp(bool group, const std::string& name, uint32_t* out) {
  std::vector<char> buffer(1 << 16);
  if (group) {
    struct group entry;
    struct group* found = nullptr;
    if (getgrnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr) return false;
    *out = found->gr_gid;
  } else {
    struct passwd entry;
    struct passwd* found = nullptr;
    if (getpwnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr) return false;
    *out = found->pw_uid;
  }
  return true;
}

uint16_t TagOf(string_view word, bool named) {
  if (word == "user" || word == "u") return named ? kUser : kUserObj;
  if (word == "group" || word == "g") return named ? kGroup : kGroupObj;
  if (word == "mask" || word == "m") return named ? 0 : kMask;
  if (word == "other" || word == "o") return named ? 0 : kOther;
  return 0;
}

// Nothing in *out where whom it is for is unknown.
bool ParseEntry(string_view text, std::optional<AclEntry>* out) {
  const std::vector<string_view> fields = Split(text, ":");
  if (fields.size() < 3 || fields.size() > 4) return false;
  AclEntry entry{TagOf(fields[0], !fields[1].empty()), 0, kNoId};
  if (entry.tag == 0 || !ParsePermissions(fields[2], &entry.permissions)) return false;
  if (!fields[1].empty()) {
    const bool known = (fields.size() == 4 && ParseId(fields[3], &entry.id)) || ParseId(fields[1], &entry.id) ||
                       LookUp(entry.tag == kGroup, std::string(fields[1]), &entry.id);
    if (!known) return true;
  }
  out->emplace(entry);
  return true;
}

template <typename T>
void Append(T value, std::string* to) {
  for (size_t i = 0; i < sizeof value; i++) to->push_back(static_cast<char>(value >> (8 * i) & 0xFF));
}

}  // namespace

bool ParseAclText(string_view text, std::string* value) {
  std::vector<AclEntry> entries;
  for (string_view part : Split(text, ",\n")) {
    part = Trim(part);
    if (part.empty()) continue;
    std::optional<AclEntry> entry;
    if (!ParseEntry(part, &entry)) return false;
    if (entry) entries.push_back(*entry);
  }
  std::sort(entries.begin(), entries.end(),
            [](const AclEntry& a, const AclEntry& b) { return std::tie(a.tag, a.id) < std::tie(b.tag, b.id); });
  value->clear();
  if (entries.empty()) return true;
  Append(kVersion, value);
  for (const AclEntry& entry : entries) {
    Append(entry.tag, value);
    Append(entry.permissions, value);
    Append(entry.id, value);
  }
  return true;
}

}  // namespace shoal::tar
