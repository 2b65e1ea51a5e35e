// The engine without Node: `serve_image IMAGE DIRECTORY [KEY=VALUE]...` mounts and says `ready` on stdout when the
// kernel's handshake is done. Serves until it is unmounted, or until SIGTERM or SIGINT, then unmounts and ends with 0.
// What reading meets is told on stderr. Keys: uid, gid, fmask and dmask (octal), allow_other (0 or 1), threads.
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>

#include "core/show_bytes.h"
#include "fuse/served_mount.h"

namespace {

constexpr int kUsage = 2;

bool TakeOption(const std::string& option, shoal::fuse::ServeOptions* options) {
  const size_t equals = option.find('=');
  if (equals == std::string::npos) return false;
  const std::string key = option.substr(0, equals);
  const char* value = option.c_str() + equals + 1;
  const auto decimal = static_cast<uint32_t>(std::strtoul(value, nullptr, 10));
  const auto octal = static_cast<uint32_t>(std::strtoul(value, nullptr, 8));
  if (key == "uid") {
    options->presentation.uid = decimal;
  } else if (key == "gid") {
    options->presentation.gid = decimal;
  } else if (key == "fmask") {
    options->presentation.file_mask = octal;
  } else if (key == "dmask") {
    options->presentation.directory_mask = octal;
  } else if (key == "allow_other") {
    options->flags.allow_other = decimal != 0;
  } else if (key == "threads") {
    options->tuning.threads = decimal;
  } else {
    return false;
  }
  return true;
}

int Fail(const shoal::Status& status) {
  std::cerr << CodeName(status.code()) << ": " << status.message() << " (" << shoal::ShowBytes(status.path()) << ")\n";
  return EXIT_FAILURE;
}

// A descriptor that can be read when one of the signals came, which from now on do nothing else, in any thread.
shoal::UniqueFd HearSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return shoal::UniqueFd(signalfd(-1, &signals, SFD_CLOEXEC));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return kUsage;
  shoal::fuse::ServeOptions options;
  for (int i = 3; i < argc; i++) {
    if (!TakeOption(argv[i], &options)) return kUsage;
  }
  options.log = [](const std::string& line) { std::cerr << shoal::ShowBytes(line) + "\n"; };

  const shoal::UniqueFd signals = HearSignals();
  const shoal::UniqueFd ended(eventfd(0, EFD_CLOEXEC));
  const auto tell_ended = [&ended] {
    const uint64_t one = 1;
    if (write(ended.get(), &one, sizeof one) < 0) std::abort();
  };
  shoal::fuse::Attachment attachment;
  attachment.directory = argv[2];
  std::unique_ptr<shoal::fuse::ServedMount> served;
  shoal::Status status =
      shoal::fuse::ServedMount::Start({argv[1]}, std::move(attachment), std::move(options), tell_ended, &served);
  if (!status.ok()) return Fail(status);
  std::cout << "ready" << std::endl;

  pollfd events[2] = {{ended.get(), POLLIN, 0}, {signals.get(), POLLIN, 0}};
  while (poll(events, 2, -1) < 0) {
  }
  if (events[0].revents == 0) {
    status = served->Unmount(shoal::fuse::ServedMount::WhenBusy::kLazily);
    if (!status.ok()) return Fail(status);
    while (poll(events, 1, -1) < 0) {
    }
  }
  return EXIT_SUCCESS;
}
