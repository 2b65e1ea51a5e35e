// What the server replies to INIT, for any kernel:
//   negotiate_check MAJOR MINOR FLAGS [SIZE [acls]]   SIZE bytes were sent, by default all of InitIn
// prints one line: outcome major minor flags max_pages max_write time_gran no_open no_opendir
#include <cstdio>
#include <cstdlib>

#include "fuse/negotiate.h"

int main(int count, char** arguments) {
  using namespace shoal::fuse;
  if (count < 4) return 2;
  InitIn offer{};
  offer.major = static_cast<uint32_t>(std::strtoul(arguments[1], nullptr, 0));
  offer.minor = static_cast<uint32_t>(std::strtoul(arguments[2], nullptr, 0));
  offer.flags = static_cast<uint32_t>(std::strtoul(arguments[3], nullptr, 0));
  offer.max_readahead = 131072;
  const size_t size = count > 4 ? std::strtoul(arguments[4], nullptr, 0) : sizeof offer;
  const Negotiation made = Negotiate(offer, size, count > 5, Tuning(), 0);
  const char* outcome = made.outcome == Negotiation::Outcome::kAgreed  ? "agreed"
                        : made.outcome == Negotiation::Outcome::kRetry ? "retry"
                                                                       : "too-old";
  std::printf("%s %u %u 0x%x %u %u %u %d %d\n", outcome, made.reply.major, made.reply.minor, made.reply.flags,
              made.reply.max_pages, made.reply.max_write, made.reply.time_gran, made.no_open, made.no_opendir);
  return 0;
}
