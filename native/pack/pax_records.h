// Extended headers of a pax tar (POSIX.1-2017 pax, "pax Extended Header") and the vendors' keywords in them, as values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/status.h"

namespace shoal::tar {

struct PaxTime {
  int64_t seconds = 0;  // rounded down
  uint32_t nanoseconds = 0;
};

// What GNU tar says of a sparse member: in 0.0 rows of their own, in 0.1 the map as text, in 1.0 only that the map is
// in the data.
struct PaxSparse {
  std::optional<uint64_t> major;
  std::optional<uint64_t> minor;
  std::optional<uint64_t> real_size;
  std::optional<uint64_t> row_count;
  std::string rows;  // "offset,length,offset,length"
};

struct PaxFields {
  std::optional<std::string> path;
  std::optional<std::string> link_path;
  std::optional<std::string> sparse_name;  // the path of a sparse member, whose `path` is made up
  std::optional<uint64_t> size;
  std::optional<int64_t> uid;
  std::optional<int64_t> gid;
  std::optional<PaxTime> mtime;
  std::optional<std::string> comment;
  PaxSparse sparse;
  std::vector<std::pair<std::string, std::string>> xattrs;  // name, value; of equal names the last counts
};

// Lays the records of one header over *fields. A record without a value takes the field away, as POSIX says. Unknown
// keywords are skipped. kMalformed with an offset relative to `records` where they are no records or a value is none of
// its keyword. `global`: they are for all members that follow; a keyword that makes sense for one only (path, size,
// xattrs …) is kUnsupported there.
Status ReadPaxRecords(std::string_view records, bool global, PaxFields* fields);

// *set is `xattrs` as FORMAT §4.6 stores them; empty for none.
void EncodeXattrs(const std::vector<std::pair<std::string, std::string>>& xattrs, std::string* set);

}  // namespace shoal::tar
