// INIT: what the kernel offers, and what this server makes of it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "fuse/protocol.h"
#include "fuse/tuning.h"

namespace shoal::fuse {

// 1 MiB in one READ: 256 pages, the most that kernels allow by default (fs.fuse.max_pages_limit).
constexpr uint32_t kRequestPages = 256;

struct Negotiation {
  enum class Outcome {
    kAgreed,
    kRetry,   // the kernel speaks a later major version: reply with ours, and INIT comes again
    kTooOld,  // the kernel speaks nothing that this server does: there is no session
  };
  Outcome outcome = Outcome::kTooOld;
  InitOut reply{};
  bool no_open = false;     // OPEN may be answered with ENOSYS
  bool no_opendir = false;  // OPENDIR may be
};

// `size` is the length of what the kernel sent; `acls`: entries have POSIX ACLs, which cost a request for each entry
// that is used; `ring_reply`: bytes of the longest reply over io_uring, which is then agreed, or 0. Of what is tuned,
// only what the kernel offers is agreed. Pure.
Negotiation Negotiate(const InitIn& offer, size_t size, bool acls, const Tuning& tuning, uint32_t ring_reply);

}  // namespace shoal::fuse
