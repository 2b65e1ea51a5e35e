#include "core/fault_guard.h"

#include <signal.h>
#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <mutex>
#include <vector>

namespace shoal {

// The process's guards. The handler takes the lock too: who holds it touches no watched page, so a thread never waits
// for itself.
class FaultRegistry {
 public:
  static FaultRegistry& Get() {
    static auto* const registry = new FaultRegistry();  // for the handler's sake never destroyed
    return *registry;
  }

  std::mutex& mutex() { return mutex_; }

  void Add(FaultGuard* guard) {
    std::lock_guard<std::mutex> lock(mutex_);
    guards_.push_back(guard);
    if (installed_) return;
    installed_ = true;
    struct sigaction action = {};
    action.sa_sigaction = OnBusError;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    sigemptyset(&action.sa_mask);
    sigaction(SIGBUS, &action, &previous_);
  }

  void Remove(FaultGuard* guard) {
    std::lock_guard<std::mutex> lock(mutex_);
    guards_.erase(std::find(guards_.begin(), guards_.end(), guard));
  }

 private:
  static void OnBusError(int signal, siginfo_t* info, void* context) {
    const int error = errno;
    // Positive codes are the kernel's; a SIGBUS that somebody sent has no address.
    if (info->si_code <= 0 || !Get().ReplaceMap(reinterpret_cast<uintptr_t>(info->si_addr))) {
      Get().PassOn(signal, info, context);
    }
    errno = error;
  }

  bool ReplaceMap(uintptr_t address) {
    std::lock_guard<std::mutex> lock(mutex_);
    for (FaultGuard* guard : guards_) {
      if (address - guard->start_ >= guard->length_) continue;
      FaultGuard::total_.fetch_add(1);
      guard->faults_.fetch_add(1);  // before the zeros can be seen
      // All of it: each page alone would be a mapping more, of which the kernel allows 65 530 (vm.max_map_count).
      return mmap(reinterpret_cast<void*>(guard->start_), guard->length_, PROT_READ,
                  MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0) != MAP_FAILED;
    }
    return false;
  }

  void PassOn(int signal, siginfo_t* info, void* context) {
    if ((previous_.sa_flags & SA_SIGINFO) != 0) {
      previous_.sa_sigaction(signal, info, context);
    } else if (previous_.sa_handler != SIG_DFL && previous_.sa_handler != SIG_IGN) {
      previous_.sa_handler(signal);
    } else {
      // As without this handler: the load happens again, or the signal comes again, and ends the process.
      sigaction(SIGBUS, &previous_, nullptr);
      if (info->si_code <= 0) raise(signal);
    }
  }

  std::mutex mutex_;
  std::vector<FaultGuard*> guards_;
  bool installed_ = false;
  struct sigaction previous_ = {};
};

std::atomic<uint64_t> FaultGuard::total_{0};

FaultGuard::FaultGuard(const void* start, size_t length) : start_(reinterpret_cast<uintptr_t>(start)), length_(length) {
  FaultRegistry::Get().Add(this);
}

FaultGuard::~FaultGuard() { FaultRegistry::Get().Remove(this); }

bool FaultGuard::Heal(int fd) {
  // Under the lock, so that no handler puts its zeros over what is mapped here without being counted anew.
  std::lock_guard<std::mutex> lock(FaultRegistry::Get().mutex());
  const uint64_t faults = faults_.load();
  // Elsewhere first: mmap at a fixed address may take away what is there and then fail.
  void* fresh = MapForRead(fd, length_);
  if (fresh == MAP_FAILED) return false;
  if (mremap(fresh, length_, length_, MREMAP_MAYMOVE | MREMAP_FIXED, reinterpret_cast<void*>(start_)) == MAP_FAILED) {
    const int error = errno;
    munmap(fresh, length_);
    errno = error;
    return false;
  }
  healed_.store(faults);
  return true;
}

void* MapForRead(int fd, size_t length) {
  void* base = mmap(nullptr, length, PROT_READ, MAP_SHARED, fd, 0);
  // FUSE filesystems that serve with direct I/O refuse shared mappings only.
  if (base == MAP_FAILED && errno == ENODEV) base = mmap(nullptr, length, PROT_READ, MAP_PRIVATE, fd, 0);
  if (base != MAP_FAILED) madvise(base, length, MADV_RANDOM);  // advice: without it the kernel reads more than asked
  return base;
}

}  // namespace shoal
