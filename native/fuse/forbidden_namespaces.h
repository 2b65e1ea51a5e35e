// Why a user may make no namespaces on this machine.
#pragma once

#include "core/status.h"

namespace shoal::fuse {

// For the errno with which making or entering a user namespace failed: which setting forbids it, and what to do.
Status ExplainForbiddenNamespaces(int error);

}  // namespace shoal::fuse
