// When a read that storage failed is tried again.
#pragma once

namespace shoal {

// Pauses before further tries: 10, 20, 40 … ms, 640 at most. Network filesystems give errors, or fewer bytes than there
// are, while a server restarts or fails over: nine pauses are 2.55 s, which rides out the reconnection of a client. Not
// more, because a thread of the server waits with every request, and a job that can not get on should know. A local
// disk's driver has tried for seconds already: three pauses, 70 ms.
constexpr unsigned kNetworkRetries = 9;
constexpr unsigned kLocalRetries = 3;

// Whether the errno of a read is one that passes.
bool MayPass(int error);

// Waits before the next try, `failures` having been waited for before.
void PauseToRetry(unsigned failures);

}  // namespace shoal
