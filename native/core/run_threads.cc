#include "core/run_threads.h"

#include <system_error>
#include <thread>
#include <vector>

namespace shoal {

unsigned ThreadCount(unsigned jobs) {
  if (jobs > 0) return jobs;
  unsigned processors = std::thread::hardware_concurrency();
  return processors > 0 ? processors : 1;
}

Status RunThreads(unsigned jobs, const std::function<void(unsigned worker)>& work) {
  Status status;
  std::vector<std::thread> threads;
  for (unsigned worker = 0; worker < jobs; worker++) {
    try {
      threads.emplace_back(work, worker);
    } catch (const std::system_error& error) {
      if (threads.empty()) status = Status::FromErrno("cannot start a thread", "", error.code().value());
      break;
    }
  }
  for (std::thread& thread : threads) thread.join();
  return status;
}

}  // namespace shoal
