// POSIX access control lists as tar's pax records have them, as text.
#pragma once

#include <string>
#include <string_view>

namespace shoal::tar {

// The value of the extended attribute system.posix_acl_access or …default that stands for `text`: entries such as
// user:1234:r-- or group::r-x, apart by commas or newlines (acl(5), "long text form" and "short"), as star, GNU tar and
// bsdtar write them; the latter with the id behind the permissions. A name without an id is looked up on this machine,
// and its entry left out where it is unknown. False for what is no such text. Empty where there is no entry.
bool ParseAclText(std::string_view text, std::string* value);

}  // namespace shoal::tar
