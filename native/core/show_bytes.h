// Bytes as text of one line.
#pragma once

#include <string>
#include <string_view>

namespace shoal {

// Valid UTF-8 as it is; other bytes, and characters that would move a cursor, break a line or turn the direction of
// writing, as \xNN; a backslash as \\, so that showing is reversible. As showBytes of src/base/entry-path.ts.
std::string ShowBytes(std::string_view bytes);

}  // namespace shoal
