// Survives SIGBUS in a mapped file: the kernel's answer to a load from a page that storage cannot give, or that lies
// behind the end of a file cut short meanwhile. The whole map is replaced by zeros and the fault counted; who reads the
// map looks at the count before and after, and throws away what it read if a fault came between.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace shoal {

class FaultGuard {
 public:
  // Watches `length` bytes from `start` (of a page) on, until it is destroyed. The first guard of the process installs
  // the handler; faults elsewhere go on to the one that was there before.
  FaultGuard(const void* start, size_t length);
  ~FaultGuard();
  FaultGuard(const FaultGuard&) = delete;
  FaultGuard& operator=(const FaultGuard&) = delete;

  // Whether the map is zeros that should not be: call Heal before reading.
  bool hurt() const { return count() != healed_.load(std::memory_order_acquire); }

  // Faults so far. What was read from the map before this call is seen before it.
  uint64_t count() const {
    std::atomic_thread_fence(std::memory_order_acquire);
    return faults_.load(std::memory_order_acquire);
  }

  // The same over all guards of the process.
  static uint64_t total() {
    std::atomic_thread_fence(std::memory_order_acquire);
    return total_.load(std::memory_order_acquire);
  }

  // Maps the file anew, over the same addresses. False if that fails, errno says why.
  bool Heal(int fd);

 private:
  friend class FaultRegistry;

  static std::atomic<uint64_t> total_;

  const uintptr_t start_;
  const size_t length_;
  std::atomic<uint64_t> faults_{0};
  std::atomic<uint64_t> healed_{0};  // of faults_, those that Heal undid
};

// mmap(2) of a whole file for reading, shared with all processes that read it. MAP_FAILED and errno as there.
void* MapForRead(int fd, size_t length);

}  // namespace shoal
