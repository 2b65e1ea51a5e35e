#include "core/read_retry.h"

#include <time.h>

#include <algorithm>
#include <cerrno>

namespace shoal {
namespace {

constexpr long kFirstPauseMilliseconds = 10;
constexpr long kLongestPauseMilliseconds = 640;

}  // namespace

bool MayPass(int error) {
  // ESHUTDOWN: Lustre, after a server has forgotten its client. ENOTCONN: a FUSE filesystem whose server is being
  // started again.
  return error == EIO || error == ESTALE || error == ETIMEDOUT || error == ESHUTDOWN || error == ENOTCONN;
}

void PauseToRetry(unsigned failures) {
  const long milliseconds = std::min(kFirstPauseMilliseconds << std::min(failures, 10u), kLongestPauseMilliseconds);
  const timespec pause = {0, milliseconds * 1000 * 1000};
  nanosleep(&pause, nullptr);
}

}  // namespace shoal
