// The reader of the soak: reads random files through a mount and holds every byte against the tree that was packed.
//
//   compare_client MOUNT TREE PATHS SEED
//
// PATHS is a list of paths of files, relative to both directories and each ended by NUL. Every second file is read
// whole, of the others a random piece. Goes on until its standard input ends; then prints one line of JSON: files and
// bytes that were compared, files with wrong bytes, files that could not be read, and what was wrong with the first of
// each kind.
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace {

// Files that are read in any case.
constexpr uint64_t kLeast = 100;

// Where nothing is mounted for a moment, not to keep a processor busy that the next mount needs.
constexpr std::chrono::milliseconds kPause(5);

bool InputEnded() {
  pollfd input{STDIN_FILENO, POLLIN, 0};
  return poll(&input, 1, 0) > 0;
}

// errno, or 0. Fewer bytes than `length` only where the file ends: a short read is continued, so that an error behind
// it is seen. The page cache forgets the file, so that the next read of it asks the server again.
int ReadPiece(const std::string& path, off_t offset, size_t length, std::string* out) {
  out->resize(length);
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return errno;
  size_t got = 0;
  int error = 0;
  while (got < length) {
    const ssize_t more = pread(fd, &(*out)[got], length - got, offset + static_cast<off_t>(got));
    if (more < 0 && errno == EINTR) continue;
    if (more < 0) error = errno;
    if (more <= 0) break;
    got += static_cast<size_t>(more);
  }
  posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
  close(fd);
  out->resize(got);
  return error;
}

class Comparison {
 public:
  Comparison(const std::string& mount, const std::string& tree) : mount_(mount + "/"), tree_(tree + "/") {}

  size_t SizeOf(const std::string& path) const {
    struct stat info;
    if (stat((tree_ + path).c_str(), &info) != 0) Fail(path, errno);
    return static_cast<size_t>(info.st_size);
  }

  // False if the mount could not be read.
  bool Compare(const std::string& path, off_t offset, size_t length) {
    if (const int error = ReadPiece(tree_ + path, offset, length, &expected_)) Fail(path, error);
    if (const int error = ReadPiece(mount_ + path, offset, length, &found_)) {
      if (unread_++ == 0) first_unread_ = path + ": " + std::strerror(error);
      return false;
    }
    files_++;
    bytes_ += expected_.size();
    if (found_ == expected_) return true;
    const size_t shorter = std::min(found_.size(), expected_.size());
    const auto place = std::mismatch(found_.begin(), found_.begin() + static_cast<long>(shorter), expected_.begin());
    const size_t at = static_cast<size_t>(offset) + static_cast<size_t>(place.first - found_.begin());
    if (wrong_++ == 0) {
      first_wrong_ = path + ": from byte " + std::to_string(at) + ", " + std::to_string(found_.size()) + " of " +
                     std::to_string(expected_.size()) + " bytes read";
    }
    return true;
  }

  void Print() const {
    std::printf(
        "{\"files\":%llu,\"bytes\":%llu,\"wrong\":%llu,\"unread\":%llu,\"firstWrong\":\"%s\",\"firstUnread\":\"%s\"}\n",
        files_, bytes_, wrong_, unread_, first_wrong_.c_str(), first_unread_.c_str());
  }

 private:
  [[noreturn]] void Fail(const std::string& path, int error) const {
    std::fprintf(stderr, "compare_client: cannot read %s%s: %s\n", tree_.c_str(), path.c_str(), std::strerror(error));
    std::exit(1);
  }

  const std::string mount_;
  const std::string tree_;
  std::string expected_;
  std::string found_;
  unsigned long long files_ = 0;
  unsigned long long bytes_ = 0;
  unsigned long long wrong_ = 0;
  unsigned long long unread_ = 0;
  std::string first_wrong_;
  std::string first_unread_;
};

std::vector<std::string> List(const char* list) {
  std::ifstream file(list, std::ios::binary);
  std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  std::vector<std::string> paths;
  for (size_t at = 0; at < text.size(); at += paths.back().size() + 1) paths.emplace_back(text.c_str() + at);
  return paths;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> paths = argc == 5 ? List(argv[3]) : std::vector<std::string>();
  if (paths.empty()) {
    std::fprintf(stderr, "usage: compare_client MOUNT TREE PATHS SEED\n");
    return 2;
  }
  std::mt19937 random(static_cast<uint32_t>(std::strtoul(argv[4], nullptr, 10)));
  Comparison comparison(argv[1], argv[2]);
  for (uint64_t done = 0; done < kLeast || !InputEnded(); done++) {
    const std::string& path = paths[random() % paths.size()];
    const size_t size = comparison.SizeOf(path);
    const size_t offset = random() % 2 == 0 ? 0 : random() % (size + 1);
    // One byte more than there is: that the file ends where it should is compared, too.
    const size_t length = offset == 0 ? size + 1 : 1 + random() % (size + 1 - offset);
    if (!comparison.Compare(path, static_cast<off_t>(offset), length)) std::this_thread::sleep_for(kPause);
  }
  comparison.Print();
  return 0;
}
