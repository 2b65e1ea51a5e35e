// fusermount3, the setuid helper through which users without privileges mount.
#pragma once

#include <string>
#include <vector>

#include "core/file.h"
#include "core/status.h"

namespace shoal::fuse {

// Mounts on `directory` with `-o options`; *device is the session's. kUnsupported: no helper is installed. Other errors
// carry the helper's own words and, where known, the cure.
Status FusermountMount(const std::string& options, const std::string& directory, UniqueFd* device);

Status FusermountUnmount(const std::string& directory, bool lazy);

// `value` for use within -o: commas and backslashes escaped.
std::string EscapeOption(const std::string& value);

}  // namespace shoal::fuse
