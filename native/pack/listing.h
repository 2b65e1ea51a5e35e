// What a walk has found in one directory, compactly: about 40 bytes an entry and its name.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/index_view.h"
#include "pack/file_list.h"

namespace shoal {

struct Child {
  enum class Kind : uint8_t { kAbsent, kFile, kDirectory, kLink, kDevice, kOther };

  int64_t seconds = 0;
  uint64_t size = 0;  // file: content; symbolic link: target; device: major << 32 | minor
  uint64_t stamp = 0;
  uint32_t nanoseconds = 0;
  uint32_t attributes = 0;  // row in the AttributeTable
  // Directory: its listing; symbolic link: offset of its target in the part's targets; file: as PackCatalogue::spaces.
  uint32_t place = 0;
  Kind kind = Kind::kAbsent;
};

// A run of children that one thread looked at.
struct ListingPart {
  struct Linked {
    uint32_t child;  // counted from the part's first
    uint64_t device, inode;
  };
  struct Holed {
    uint32_t child;
    std::vector<Extent> data;
  };
  std::vector<Child> children;
  std::string targets;
  std::vector<Linked> linked;  // those with st_nlink > 1, in order; no directories
  std::vector<Holed> holed;    // files with holes, in order
};

struct Listing {
  // Looked at by one thread, one after the other. So few, because where storage takes milliseconds for each of them,
  // only threads that look at the others meanwhile help; a part itself takes three bytes a child.
  static constexpr uint32_t kPartLength = 32;

  uint32_t parent = 0;  // listing, and the child there
  uint32_t child = 0;
  bool failed = false;     // unreadable: the directory is left out
  bool is_listed = false;  // its names are those of `listed`, not all that are there
  FileList::Range listed;
  uint64_t device = 0;
  std::string names;  // back to back, sorted by bytes, each with a NUL behind it
  std::vector<uint32_t> name_offsets;
  std::vector<ListingPart> parts;  // of kPartLength children each

  uint32_t size() const { return static_cast<uint32_t>(name_offsets.size()); }
  const char* name(uint32_t number) const { return names.data() + name_offsets[number]; }
  uint32_t name_length(uint32_t number) const {
    const size_t end = number + 1 < size() ? name_offsets[number + 1] : names.size();
    return static_cast<uint32_t>(end - name_offsets[number] - 1);
  }
  std::string_view name_view(uint32_t number) const { return {name(number), name_length(number)}; }
};

}  // namespace shoal
