#include "pack/member_builder.h"

#include <algorithm>

#include "core/bytes.h"
#include "core/format.h"
#include "pack/holes.h"

namespace shoal {
namespace {

std::string_view XattrSet(const Catalogue& catalogue, uint32_t offset) {
  const char* begin = catalogue.xattr_sets.data() + offset;
  const char* end = begin + sizeof(uint32_t);
  for (auto left = Load<uint32_t>(begin); left > 0; left--) end += 6 + Load<uint16_t>(end) + Load<uint32_t>(end + 2);
  return std::string_view(begin, static_cast<size_t>(end - begin));
}

TarType TypeOf(uint32_t mode) {
  switch (mode & S_IFMT) {
    case S_IFDIR:
      return TarType::kDirectory;
    case S_IFLNK:
      return TarType::kSymlink;
    case S_IFCHR:
      return TarType::kCharacterDevice;
    case S_IFBLK:
      return TarType::kBlockDevice;
    case S_IFIFO:
      return TarType::kFifo;
    default:
      return TarType::kFile;
  }
}

}  // namespace

ExtentList* FindExtents(Catalogue* catalogue, uint32_t file) {
  if (catalogue->sizes[file] < kMinHole) return nullptr;
  auto& lists = catalogue->extent_lists;
  auto list = std::lower_bound(lists.begin(), lists.end(), file,
                               [](const ExtentList& item, uint32_t entry) { return item.entry < entry; });
  return list != lists.end() && list->entry == file ? &*list : nullptr;
}

const ExtentList* FindExtents(const Catalogue& catalogue, uint32_t file) {
  return FindExtents(const_cast<Catalogue*>(&catalogue), file);
}

uint64_t StoredBytes(const Catalogue& catalogue, uint32_t file) {
  const ExtentList* list = FindExtents(catalogue, file);
  if (list == nullptr) return catalogue.sizes[file];
  uint64_t stored = 0;
  for (const Extent& extent : list->extents) stored += extent.length;
  return stored;
}

void MemberBuilder::AppendPassingRoot(std::string* to) {
  const AttributesRow& row = catalogue_.Row(0);
  Member member;
  member.type = TarType::kDirectory;
  member.path = kRootPath;
  member.mode = (row.mode & 07777) | S_IRWXU;
  member.uid = row.uid;
  member.gid = row.gid;
  member.seconds = catalogue_.seconds[0];
  member.nanoseconds = catalogue_.nanoseconds[0];
  AppendMemberHeader(member, to);
}

uint64_t MemberBuilder::Append(uint32_t entry, std::string* to) {
  const size_t start = to->size();
  if (catalogue_.parents[entry] != parent_) {
    parent_ = catalogue_.parents[entry];
    path_ = catalogue_.Path(parent_);
    if (parent_ != 0) path_.push_back('/');
    parent_length_ = path_.size();
  }
  path_.resize(parent_length_);
  path_.append(entry == 0 ? std::string_view(".") : catalogue_.name(entry));

  Member member;
  map_.clear();
  const bool is_alias = catalogue_.IsAlias(entry);
  const auto described = is_alias ? static_cast<uint32_t>(catalogue_.offsets[entry]) : entry;
  const AttributesRow& row = catalogue_.Row(described);
  member.mode = row.mode & 07777;
  member.uid = row.uid;
  member.gid = row.gid;
  member.seconds = catalogue_.seconds[described];
  member.nanoseconds = catalogue_.nanoseconds[described];
  if (is_alias) {
    member.type = TarType::kHardLink;
    target_ = catalogue_.Path(described);
    member.target = target_;
  } else {
    member.type = catalogue_.IsCopy(entry) ? TarType::kHardLink : TypeOf(row.mode);
    if (row.xattrs != format::kNoXattrs) member.xattr_set = XattrSet(catalogue_, row.xattrs);
    switch (member.type) {
      case TarType::kDirectory:
        path_.push_back('/');
        break;
      case TarType::kSymlink:
        member.target =
            std::string_view(catalogue_.link_targets).substr(catalogue_.offsets[entry], catalogue_.sizes[entry]);
        break;
      case TarType::kCharacterDevice:
      case TarType::kBlockDevice:
        member.device_major = static_cast<uint32_t>(catalogue_.offsets[entry]);
        member.device_minor = catalogue_.counts[entry];
        break;
      case TarType::kHardLink:
        target_ = catalogue_.Path(catalogue_.originals[entry]);
        member.target = target_;
        member.comment = kCopyComment;
        break;
      case TarType::kFile:
        if (const ExtentList* list = FindExtents(catalogue_, entry)) {
          AppendSparseMap(*list, &map_);
          member.sparse = true;
          member.real_size = list->size;
        }
        member.length = map_.size() + StoredBytes(catalogue_, entry);
        break;
      default:
        break;
    }
  }
  member.path = path_;
  AppendMemberHeader(member, to);
  to->append(map_);
  return to->size() - start;
}

}  // namespace shoal
