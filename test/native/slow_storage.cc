// A model of storage that takes its time for each metadata operation, as a shared filesystem does whose metadata server
// is far away or busy: a FUSE server that shows a tree, read-only, from another directory.
//   slow_storage SOURCE DIRECTORY MILLISECONDS [COMMAND...]
// mounts on DIRECTORY and runs the command, prints the seconds that it took, unmounts, and ends with its status.
// Without a command it prints `ready` and answers each line on standard input with one line, to unmount at its end.
//
// What is modelled: each LOOKUP, GETATTR, READLINK, OPEN, OPENDIR, READDIR and STATFS is answered MILLISECONDS after it
// has come, kThreads of them at once, so that nobody waits for anybody else's. What is looked up or asked for is known
// to the kernel for one second, less than NFS has by default; each open asks again. What is not: reading takes no time
// of its own, nor does closing, for which nobody waits on such storage; there are no extended attributes; the server is
// never the limit.
//
// The one command is `count`: {"operations":…,"most":…}, those that took their time, and how many did so at once.
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <iostream>
#include <memory>
#include <mutex>
#include <sstream>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "storage_server.h"

namespace {

using namespace shoal::fuse;

constexpr unsigned kThreads = 256;
constexpr uint64_t kKnownFor = 1;  // seconds
constexpr uint32_t kMaxWrite = 4096;

struct OpenDirectory {
  struct Name {
    std::string name;
    uint64_t inode;
    uint32_t type;
  };
  std::vector<Name> names;
};

class Storage {
 public:
  Storage(std::string source, std::chrono::milliseconds delay) : delay_(delay), paths_{std::move(source)} {}

  std::string Obey(const std::string& line);
  void Serve(int device);

 private:
  std::string PathOf(uint64_t node);
  uint64_t NodeOf(const std::string& path);
  int Fill(uint64_t node, Attr* attr);
  int Lookup(uint64_t parent, const char* name, EntryOut* out);
  int ReadLink(uint64_t node, std::vector<uint8_t>* out);
  int Open(uint64_t node, OpenOut* out);
  int OpenDir(uint64_t node, OpenOut* out);
  int ReadDir(const ReadIn& in, std::vector<uint8_t>* out);
  int Answer(const InHeader& header, const uint8_t* body, std::vector<uint8_t>* out);
  void TakeTime();

  const std::chrono::milliseconds delay_;
  std::mutex mutex_;
  std::deque<std::string> paths_;  // of node 1, 2, …
  std::unordered_map<std::string, uint64_t> nodes_;
  uint64_t operations_ = 0;
  uint64_t under_way_ = 0;
  uint64_t most_ = 0;
};

std::string Storage::Obey(const std::string& line) {
  if (line != "count") return "unknown command";
  std::lock_guard<std::mutex> lock(mutex_);
  std::ostringstream json;
  json << "{\"operations\":" << operations_ << ",\"most\":" << most_ << "}";
  return json.str();
}

void Storage::TakeTime() {
  const auto until = std::chrono::steady_clock::now() + delay_;
  std::unique_lock<std::mutex> lock(mutex_);
  operations_++;
  most_ = std::max(most_, ++under_way_);
  lock.unlock();
  std::this_thread::sleep_until(until);
  lock.lock();
  under_way_--;
}

std::string Storage::PathOf(uint64_t node) {
  std::lock_guard<std::mutex> lock(mutex_);
  return paths_.at(node - 1);
}

uint64_t Storage::NodeOf(const std::string& path) {
  std::lock_guard<std::mutex> lock(mutex_);
  const auto added = nodes_.emplace(path, paths_.size() + 1);
  if (added.second) paths_.push_back(path);
  return added.first->second;
}

int Storage::Fill(uint64_t node, Attr* attr) {
  struct stat info;
  if (lstat(PathOf(node).c_str(), &info) != 0) return errno;
  attr->ino = info.st_ino;
  FillAttr(info, attr);
  return 0;
}

int Storage::Lookup(uint64_t parent, const char* name, EntryOut* out) {
  const std::string path = PathOf(parent) + "/" + name;
  struct stat info;
  if (lstat(path.c_str(), &info) != 0) return errno;
  out->nodeid = NodeOf(path);
  out->entry_valid = out->attr_valid = kKnownFor;
  return Fill(out->nodeid, &out->attr);
}

int Storage::ReadLink(uint64_t node, std::vector<uint8_t>* out) {
  out->resize(PATH_MAX);
  const ssize_t length = readlink(PathOf(node).c_str(), reinterpret_cast<char*>(out->data()), out->size());
  out->resize(length < 0 ? 0 : static_cast<size_t>(length));
  return length < 0 ? errno : 0;
}

int Storage::Open(uint64_t node, OpenOut* out) {
  const int fd = open(PathOf(node).c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return errno;
  out->fh = static_cast<uint64_t>(fd);
  out->open_flags = kOpenKeepCache;
  return 0;
}

int Storage::OpenDir(uint64_t node, OpenOut* out) {
  const std::unique_ptr<DIR, int (*)(DIR*)> from(opendir(PathOf(node).c_str()), &closedir);
  if (from == nullptr) return errno;
  auto directory = std::make_unique<OpenDirectory>();
  while (const dirent* found = readdir(from.get())) {
    directory->names.push_back({found->d_name, found->d_ino, found->d_type});
  }
  out->fh = reinterpret_cast<uint64_t>(directory.release());
  return 0;
}

int Storage::ReadDir(const ReadIn& in, std::vector<uint8_t>* out) {
  const auto& names = reinterpret_cast<const OpenDirectory*>(in.fh)->names;
  for (size_t i = in.offset; i < names.size(); i++) {
    const OpenDirectory::Name& name = names[i];
    const size_t length = RecordLength(sizeof(Dirent), name.name.size());
    if (out->size() + length > in.size) break;
    const Dirent record{name.inode, i + 1, static_cast<uint32_t>(name.name.size()), name.type};
    const size_t at = out->size();
    out->resize(at + length);
    std::memcpy(out->data() + at, &record, sizeof record);
    std::memcpy(out->data() + at + sizeof record, name.name.data(), name.name.size());
  }
  return 0;
}

// An errno, or 0 and what to reply.
int Storage::Answer(const InHeader& header, const uint8_t* body, std::vector<uint8_t>* out) {
  ReadIn in{};
  switch (static_cast<Opcode>(header.opcode)) {
    case Opcode::kInit: {
      auto* reply = Fresh<InitOut>(out);
      reply->major = kMajor;
      reply->minor = kMinor;
      reply->flags = static_cast<uint32_t>(kParallelDirops | kAsyncRead | kMaxPages);
      reply->max_write = kMaxWrite;
      reply->max_pages = 256;
      reply->max_readahead = 128 << 10;
      reply->max_background = kThreads;
      reply->congestion_threshold = kThreads;
      return 0;
    }
    case Opcode::kLookup:
      TakeTime();
      return Lookup(header.nodeid, reinterpret_cast<const char*>(body), Fresh<EntryOut>(out));
    case Opcode::kGetattr: {
      TakeTime();
      auto* reply = Fresh<AttrOut>(out);
      reply->attr_valid = kKnownFor;
      return Fill(header.nodeid, &reply->attr);
    }
    case Opcode::kReadlink:
      TakeTime();
      return ReadLink(header.nodeid, out);
    case Opcode::kOpen:
      TakeTime();
      return Open(header.nodeid, Fresh<OpenOut>(out));
    case Opcode::kOpendir:
      TakeTime();
      return OpenDir(header.nodeid, Fresh<OpenOut>(out));
    case Opcode::kReaddir:
      TakeTime();
      std::memcpy(&in, body, sizeof in);
      return ReadDir(in, out);
    case Opcode::kRead: {
      std::memcpy(&in, body, sizeof in);
      out->resize(in.size);
      const ssize_t got = pread(static_cast<int>(in.fh), out->data(), in.size, static_cast<off_t>(in.offset));
      out->resize(got < 0 ? 0 : static_cast<size_t>(got));
      return got < 0 ? errno : 0;
    }
    case Opcode::kStatfs: {
      TakeTime();
      auto* reply = Fresh<StatfsOut>(out);
      reply->bsize = reply->frsize = 4096;
      reply->namelen = NAME_MAX;
      return 0;
    }
    case Opcode::kRelease:
      std::memcpy(&in, body, sizeof in.fh);
      close(static_cast<int>(in.fh));
      return 0;
    case Opcode::kReleasedir:
      std::memcpy(&in, body, sizeof in.fh);
      delete reinterpret_cast<OpenDirectory*>(in.fh);
      return 0;
    case Opcode::kDestroy:
      return 0;
    default:
      return ENOSYS;
  }
}

void Storage::Serve(int device) {
  ServeRequests(device, kMaxWrite, [this](const InHeader& header, const uint8_t* body, std::vector<uint8_t>* out) {
    return Answer(header, body, out);
  });
}

// Runs it, without what it prints. Its status, or 127 where it cannot be run.
int Time(char** command) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  pid_t child;
  const auto begun = std::chrono::steady_clock::now();
  if (posix_spawnp(&child, command[0], &actions, nullptr, command, environ) != 0) return 127;
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begun;
  std::cout << seconds.count() << std::endl;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 126;
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 4) return 2;
  Storage storage(arguments[1], std::chrono::milliseconds(std::atoi(arguments[3])));
  ServeWhile(&storage, arguments[1], arguments[2], kThreads, [&] {
    if (count > 4) return Time(arguments + 4);
    ObeyLines(&storage);
    return 0;
  });
}
