// The client of the benchmarks: the same for every contender, and fast enough not to be what is measured.
//
//   read_client find DIR
//       walks the tree and stats every entry
//   read_client stat|follow|missing|read DIR PATHS THREADS COUNT SEED [ROUNDS]
//       COUNT random paths of the list PATHS, which are relative to DIR and each ended by NUL; all of them ROUNDS
//       times. follow: stats what the link there points to; missing: stats the path with a "~" behind it, which must
//       not be there
//   read_client crowd DIR PATHS PROCESSES COUNT SEED
//       each of PROCESSES processes reads COUNT paths, drawn at random from all of the list
//   read_client sequential|direct FILE
//       reads FILE from start to end, 1 MiB at a time; direct: around the page cache
//
// Prints one line of JSON: operations, bytes, seconds. What is read into memory before the work is not timed. Any error
// ends it with status 1.
#include <dirent.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
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

// A buffer such as reads around the page cache need: aligned to a page.
class Buffer {
 public:
  Buffer() : data_(static_cast<char*>(std::aligned_alloc(4096, kBufferLength))) {}
  ~Buffer() { std::free(data_); }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  char* data() const { return data_; }

 private:
  char* data_;
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

void Stat(int root, const std::string& path, int flags, Work* work) {
  struct stat info;
  if (fstatat(root, path.c_str(), &info, flags) != 0) Fail("stat", path);
  work->operations++;
  work->bytes += static_cast<uint64_t>(info.st_size);
}

void Miss(int root, const std::string& path, Work* work) {
  const std::string missing = path + '~';
  struct stat info;
  if (fstatat(root, missing.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0) errno = EEXIST;
  if (errno != ENOENT) Fail("miss", missing);
  work->operations++;
}

// A read that is shorter than the buffer was the last one of a regular file.
void ReadWhole(int root, const std::string& path, int flags, char* buffer, Work* work) {
  int fd = openat(root, path.c_str(), O_RDONLY | O_CLOEXEC | flags);
  if (fd < 0) Fail("open", path);
  for (ssize_t got = kBufferLength; got == static_cast<ssize_t>(kBufferLength);) {
    got = read(fd, buffer, kBufferLength);
    if (got < 0) Fail("read", path);
    work->bytes += static_cast<uint64_t>(got);
  }
  close(fd);
  work->operations++;
}

void Do(const std::string& mode, int root, const std::string& path, char* buffer, Work* work) {
  if (mode == "stat") Stat(root, path, AT_SYMLINK_NOFOLLOW, work);
  if (mode == "follow") Stat(root, path, 0, work);
  if (mode == "missing") Miss(root, path, work);
  if (mode == "read") ReadWhole(root, path, 0, buffer, work);
}

std::vector<std::string> List(const char* list) {
  std::ifstream file(list, std::ios::binary);
  std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (!file || text.empty()) Fail("read", list);
  std::vector<std::string> paths;
  for (size_t at = 0; at < text.size(); at += paths.back().size() + 1) paths.emplace_back(text.c_str() + at);
  return paths;
}

std::vector<std::string> Sample(const char* list, size_t count, uint32_t seed) {
  std::vector<std::string> paths = List(list);
  std::mt19937 random(seed);
  // Not std::shuffle, whose order each library may choose.
  for (size_t i = paths.size() - 1; i > 0; i--) std::swap(paths[i], paths[random() % (i + 1)]);
  if (count < paths.size()) paths.resize(count);
  return paths;
}

Work Sum(const Work* works, size_t count) {
  Work sum;
  for (size_t i = 0; i < count; i++) {
    sum.operations += works[i].operations;
    sum.bytes += works[i].bytes;
  }
  return sum;
}

Work RunThreads(const std::string& mode, int root, const std::vector<std::string>& paths, size_t threads, size_t rounds,
                double* started) {
  std::vector<Work> works(threads);
  std::vector<std::thread> running;
  std::atomic<size_t> ready{0};
  std::atomic<bool> go{false};
  for (size_t t = 0; t < threads; t++) {
    running.emplace_back([&, t] {
      const Buffer buffer;
      ready++;
      while (!go) std::this_thread::yield();
      for (size_t round = 0; round < rounds; round++) {
        for (size_t i = t; i < paths.size(); i += threads) Do(mode, root, paths[i], buffer.data(), &works[t]);
      }
    });
  }
  while (ready < threads) std::this_thread::yield();
  *started = Now();
  go = true;
  for (std::thread& thread : running) thread.join();
  return Sum(works.data(), works.size());
}

// A process that fails ends the whole with status 1.
Work RunProcesses(int root, const std::vector<std::string>& paths, size_t processes, size_t count, uint32_t seed,
                  double* started) {
  void* shared = mmap(nullptr, processes * sizeof(Work), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  int go[2];
  if (shared == MAP_FAILED || pipe(go) != 0) Fail("prepare", "processes");
  auto* works = static_cast<Work*>(shared);
  for (size_t p = 0; p < processes; p++) {
    const pid_t child = fork();
    if (child < 0) Fail("start", "a process");
    if (child > 0) continue;
    close(go[1]);
    const Buffer buffer;
    std::mt19937 random(seed * 1000 + static_cast<uint32_t>(p));
    // Returns when nobody can write any more: the parent gives all of them the sign at once.
    if (read(go[0], buffer.data(), 1) != 0) _exit(1);
    for (size_t i = 0; i < count; i++) ReadWhole(root, paths[random() % paths.size()], 0, buffer.data(), &works[p]);
    _exit(0);
  }
  *started = Now();
  close(go[1]);
  for (size_t p = 0; p < processes; p++) {
    int status = 0;
    if (wait(&status) < 0 || status != 0) std::exit(1);
  }
  close(go[0]);
  return Sum(works, processes);
}

size_t Number(const char* text) { return std::strtoul(text, nullptr, 10); }

void Print(const Work& work, double seconds) {
  std::printf("{\"operations\":%llu,\"bytes\":%llu,\"seconds\":%.9f}\n",
              static_cast<unsigned long long>(work.operations), static_cast<unsigned long long>(work.bytes), seconds);
}

constexpr char kUsage[] =
    "usage: read_client find DIR | stat|follow|missing|read DIR PATHS THREADS COUNT SEED [ROUNDS] |\n"
    "       crowd DIR PATHS PROCESSES COUNT SEED | sequential|direct FILE\n";

}  // namespace

int main(int argc, char** argv) {
  const std::string mode = argc > 2 ? argv[1] : "";
  Work work;
  double started = Now();
  if (mode == "find" && argc == 3) {
    Find(OpenDirectory(AT_FDCWD, argv[2]), &work);
  } else if ((mode == "sequential" || mode == "direct") && argc == 3) {
    const Buffer buffer;
    ReadWhole(AT_FDCWD, argv[2], mode == "direct" ? O_DIRECT : 0, buffer.data(), &work);
  } else if ((mode == "stat" || mode == "follow" || mode == "missing" || mode == "read") && (argc == 7 || argc == 8)) {
    const std::vector<std::string> paths = Sample(argv[3], Number(argv[5]), static_cast<uint32_t>(Number(argv[6])));
    const int root = OpenDirectory(AT_FDCWD, argv[2]);
    work = RunThreads(mode, root, paths, Number(argv[4]), argc == 8 ? Number(argv[7]) : 1, &started);
    close(root);
  } else if (mode == "crowd" && argc == 7) {
    const std::vector<std::string> paths = List(argv[3]);
    const int root = OpenDirectory(AT_FDCWD, argv[2]);
    work =
        RunProcesses(root, paths, Number(argv[4]), Number(argv[5]), static_cast<uint32_t>(Number(argv[6])), &started);
    close(root);
  } else {
    std::fputs(kUsage, stderr);
    return 2;
  }
  Print(work, Now() - started);
  return 0;
}
