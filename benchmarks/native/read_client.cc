// The client of the benchmarks: the same for every contender, and fast enough not to be what is measured.
//
//   read_client find DIR
//       walks the tree and stats every entry
//   read_client stat|read DIR PATHS THREADS COUNT SEED
//       COUNT random paths of the list PATHS, which are relative to DIR and each ended by NUL
//   read_client sequential FILE
//       reads FILE from start to end, 1 MiB at a time
//
// Prints one line of JSON: operations, bytes, seconds. What is read into memory before the work is not timed. Any error
// ends it with status 1.
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
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

constexpr size_t kBufferLength = 1 << 20;

struct Work {
  uint64_t operations = 0;
  uint64_t bytes = 0;
};

[[noreturn]] void Fail(const char* action, const std::string& path) {
  std::fprintf(stderr, "read_client: cannot %s %s: %s\n", action, path.c_str(), std::strerror(errno));
  std::exit(1);
}

double Now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

int OpenDirectory(int parent, const char* name) {
  int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) Fail("open", name);
  return fd;
}

void Find(int fd, Work* work) {
  DIR* directory = fdopendir(fd);  // takes fd
  if (directory == nullptr) Fail("list", "a directory");
  std::vector<std::string> below;
  errno = 0;
  while (const dirent* entry = readdir(directory)) {
    if (std::strcmp(entry->d_name, ".") == 0 || std::strcmp(entry->d_name, "..") == 0) continue;
    struct stat info;
    if (fstatat(fd, entry->d_name, &info, AT_SYMLINK_NOFOLLOW) != 0) Fail("stat", entry->d_name);
    work->operations++;
    work->bytes += S_ISREG(info.st_mode) ? static_cast<uint64_t>(info.st_size) : 0;
    if (S_ISDIR(info.st_mode)) below.emplace_back(entry->d_name);
  }
  if (errno != 0) Fail("list", "a directory");
  for (const std::string& name : below) Find(OpenDirectory(fd, name.c_str()), work);
  closedir(directory);
}

void Stat(int root, const std::string& path, Work* work) {
  struct stat info;
  if (fstatat(root, path.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) Fail("stat", path);
  work->operations++;
  work->bytes += static_cast<uint64_t>(info.st_size);
}

// A read that is shorter than the buffer was the last one of a regular file.
void ReadWhole(int root, const std::string& path, char* buffer, Work* work) {
  int fd = openat(root, path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) Fail("open", path);
  for (ssize_t got = kBufferLength; got == static_cast<ssize_t>(kBufferLength);) {
    got = read(fd, buffer, kBufferLength);
    if (got < 0) Fail("read", path);
    work->bytes += static_cast<uint64_t>(got);
  }
  close(fd);
  work->operations++;
}

std::vector<std::string> Sample(const char* list, size_t count, uint32_t seed) {
  std::ifstream file(list, std::ios::binary);
  std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (!file || text.empty()) Fail("read", list);
  std::vector<std::string> paths;
  for (size_t at = 0; at < text.size(); at += paths.back().size() + 1) paths.emplace_back(text.c_str() + at);
  std::mt19937 random(seed);
  // Not std::shuffle, whose order each library may choose.
  for (size_t i = paths.size() - 1; i > 0; i--) std::swap(paths[i], paths[random() % (i + 1)]);
  if (count < paths.size()) paths.resize(count);
  return paths;
}

Work RunThreads(int root, const std::vector<std::string>& paths, bool reads, size_t threads, double* started) {
  std::vector<Work> works(threads);
  std::vector<std::thread> running;
  std::atomic<size_t> ready{0};
  std::atomic<bool> go{false};
  for (size_t t = 0; t < threads; t++) {
    running.emplace_back([&, t] {
      std::vector<char> buffer(kBufferLength);
      ready++;
      while (!go) std::this_thread::yield();
      for (size_t i = t; i < paths.size(); i += threads) {
        if (reads)
          ReadWhole(root, paths[i], buffer.data(), &works[t]);
        else
          Stat(root, paths[i], &works[t]);
      }
    });
  }
  while (ready < threads) std::this_thread::yield();
  *started = Now();
  go = true;
  for (std::thread& thread : running) thread.join();
  Work sum;
  for (const Work& work : works) {
    sum.operations += work.operations;
    sum.bytes += work.bytes;
  }
  return sum;
}

void Print(const Work& work, double seconds) {
  std::printf("{\"operations\":%llu,\"bytes\":%llu,\"seconds\":%.9f}\n",
              static_cast<unsigned long long>(work.operations), static_cast<unsigned long long>(work.bytes), seconds);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string mode = argc > 2 ? argv[1] : "";
  Work work;
  double started = Now();
  if (mode == "find" && argc == 3) {
    Find(OpenDirectory(AT_FDCWD, argv[2]), &work);
  } else if (mode == "sequential" && argc == 3) {
    std::vector<char> buffer(kBufferLength);
    ReadWhole(AT_FDCWD, argv[2], buffer.data(), &work);
  } else if ((mode == "stat" || mode == "read") && argc == 7) {
    const std::vector<std::string> paths =
        Sample(argv[3], std::strtoul(argv[5], nullptr, 10), static_cast<uint32_t>(std::strtoul(argv[6], nullptr, 10)));
    int root = OpenDirectory(AT_FDCWD, argv[2]);
    work = RunThreads(root, paths, mode == "read", std::strtoul(argv[4], nullptr, 10), &started);
    close(root);
  } else {
    std::fprintf(stderr, "usage: read_client find DIR | stat|read DIR PATHS THREADS COUNT SEED | sequential FILE\n");
    return 2;
  }
  Print(work, Now() - started);
  return 0;
}
