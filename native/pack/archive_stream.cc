#include "pack/archive_stream.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace shoal {
namespace {

constexpr int kPipeLength = 1 << 20;
constexpr size_t kLongestMessage = 4096;
// The status of a program of Shoal's that ends with an error, less the error's Code: firstStatus in
// src/indexers/zip/zip-to-tar-main.ts.
constexpr int kFirstStatus = 100;

}  // namespace

Status ArchiveStream::Open(const ArchiveSource& source, std::unique_ptr<ArchiveStream>* out) {
  std::unique_ptr<ArchiveStream> stream(new ArchiveStream(source));
  SHOAL_RETURN_IF_ERROR(OpenRegular(source.path, Code::kUnsupported, &stream->file_, &stream->length_));
  if (!source.command.empty()) SHOAL_RETURN_IF_ERROR(stream->Start());
  *out = std::move(stream);
  return Status();
}

ArchiveStream::~ArchiveStream() {
  if (program_ < 0) return;
  kill(program_, SIGKILL);
  while (waitpid(program_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

Status ArchiveStream::Start() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return Status::FromErrno("cannot make a pipe", source_.shown, errno);
  output_.reset(ends[0]);
  const UniqueFd input(ends[1]);
  fcntl(input.get(), F_SETPIPE_SZ, kPipeLength);  // a longer one only saves wake-ups
  errors_.reset(memfd_create("shoal-errors", MFD_CLOEXEC));
  if (!errors_.valid()) return Status::FromErrno("cannot make a file in memory", source_.shown, errno);

  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  posix_spawn_file_actions_adddup2(&actions, file_.get(), STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, input.get(), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, errors_.get(), STDERR_FILENO);
  // Node ignores SIGPIPE, and its threads block signals.
  sigset_t none;
  sigset_t reset;
  sigemptyset(&none);
  sigemptyset(&reset);
  sigaddset(&reset, SIGPIPE);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &reset);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  std::vector<char*> arguments;
  for (const std::string& word : source_.command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  const int error = posix_spawnp(&program_, arguments[0], &actions, &attributes, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (error == 0) return Status();
  program_ = -1;
  return Status(Code::kUnsupported, "expected the program `" + source_.command[0] +
                                        "` to decompress the archive, found none that can be run; install it, or "
                                        "decompress the archive and hand it over with --from-archive -")
      .At(source_.shown);
}

Status ArchiveStream::Read(void* to, size_t size, size_t* got) {
  const int from = output_.valid() ? output_.get() : file_.get();
  *got = 0;
  while (*got < size) {
    const ssize_t n = read(from, static_cast<char*>(to) + *got, size - *got);
    if (n > 0) {
      *got += static_cast<size_t>(n);
    } else if (n == 0) {
      return WaitForEnd();
    } else if (errno != EINTR) {
      return Status::FromErrno("cannot read", source_.shown, errno);
    }
  }
  return Status();
}

Status ArchiveStream::Skip(uint64_t size, uint64_t* skipped) {
  if (!output_.valid()) {
    *skipped = std::min(size, length_ - std::min(length_, position()));
    if (lseek(file_.get(), static_cast<off_t>(*skipped), SEEK_CUR) >= 0) return Status();
    return Status::FromErrno("cannot seek", source_.shown, errno);
  }
  std::vector<char> passed(std::min<uint64_t>(size, kPipeLength));
  for (*skipped = 0; *skipped < size;) {
    const auto wanted = static_cast<size_t>(std::min<uint64_t>(passed.size(), size - *skipped));
    size_t got;
    SHOAL_RETURN_IF_ERROR(Read(passed.data(), wanted, &got));
    *skipped += got;
    if (got < wanted) break;
  }
  return Status();
}

// The program reads through a descriptor that shares its offset with ours.
uint64_t ArchiveStream::position() const { return static_cast<uint64_t>(lseek(file_.get(), 0, SEEK_CUR)); }

Status ArchiveStream::WaitForEnd() {
  if (program_ < 0) return Status();
  int state = 0;
  while (waitpid(program_, &state, 0) < 0 && errno == EINTR) {
  }
  program_ = -1;
  if (WIFEXITED(state) && WEXITSTATUS(state) == 0) return Status();
  std::string said(kLongestMessage, '\0');
  size_t length = 0;
  SHOAL_RETURN_IF_ERROR(ReadUpTo(errors_.get(), source_.shown, 0, &said[0], said.size(), &length));
  said.resize(std::min(length, std::min(said.find('\0'), said.find('\n'))));
  return Failure(state, std::move(said));
}

Status ArchiveStream::Failure(int state, std::string said) const {
  const int code = WIFEXITED(state) ? WEXITSTATUS(state) - kFirstStatus : 0;
  if (source_.is_own && code > 0 && code <= static_cast<int>(Code::kInternal))
    return Status(static_cast<Code>(code), std::move(said)).At(source_.shown);
  if (said.empty()) said = "it gave no reason";
  return Status(Code::kMalformed, "expected an archive that `" + source_.command[0] +
                                      "` can decompress, found one that it cannot (" + said +
                                      "); it is damaged or incomplete, copy it anew")
      .At(source_.shown);
}

}  // namespace shoal
