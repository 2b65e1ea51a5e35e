// A mounted tree with the threads that serve it.
#pragma once

#include <sys/types.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/file.h"
#include "core/tree.h"
#include "fuse/mount.h"
#include "fuse/operations.h"
#include "fuse/session.h"
#include "fuse/statistics.h"

namespace shoal::fuse {

// For blocks of network storage: a quarter of it is what seven streams have ahead of themselves, and all of it little
// against the memory of a job.
constexpr uint64_t kDefaultCacheBytes = 256 << 20;

struct ServeOptions {
  Presentation presentation;
  Tuning tuning;
  // Of reading: `cache` is left to the mount, which makes one of cache_bytes for all its images.
  ReadOptions reading;
  uint64_t cache_bytes = kDefaultCacheBytes;
  MountFlags flags;     // for a directory; who mounted on a descriptor chose their own
  std::string subdir;   // the directory that becomes the root; empty: the tree is mounted whole
  Operations::Log log;  // called seldom, from any server thread
};

// Where a mount is attached: a directory (absolute) to mount on, or an open /dev/fuse on which others mounted already.
struct Attachment {
  std::string directory;
  UniqueFd device;
};

class ServedMount {
 public:
  // Opens the images (`index_paths`, at least one; later ones win), attaches their tree and serves it. When this
  // returns the kernel's handshake is done. `ended` is called once, from a server thread, after unmounting by whomever.
  static Status Start(const std::vector<std::string>& index_paths, Attachment attachment, ServeOptions options,
                      std::function<void()> ended, std::unique_ptr<ServedMount>* out);

  // Only after `ended` was called: it waits for the threads.
  ~ServedMount() = default;

  // Unmounts. Where the mount is in use: lazily, or not at all and kBusy. Leaves alone what others mounted there after
  // this mount was taken away, and what others attached. Thread-safe.
  enum class WhenBusy { kLazily, kNotAtAll };
  Status Unmount(WhenBusy when_busy);

  uint64_t requests() const { return session_->requests(); }

  // Thread-safe.
  Statistics GetStatistics() const;

 private:
  ServedMount() = default;

  std::string directory_;  // empty: others attached it
  dev_t device_ = 0;       // which no other mount has while this one serves anybody
  std::unique_ptr<Tree> tree_;
  std::unique_ptr<Operations> operations_;
  std::unique_ptr<Session> session_;  // last, so that its threads leave before what they use
};

}  // namespace shoal::fuse
