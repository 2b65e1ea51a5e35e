// Storage that fails when it is told to: a FUSE server that shows the files of one directory, and no directories in it.
//   faulty_storage SOURCE DIRECTORY
// mounts on DIRECTORY, prints `ready`, then obeys lines on standard input and answers each with one line. At the end of
// its input it unmounts and ends. Its type is FUSE, so a reader takes it for network storage.
//
// Reads of files named *.shoal go through the kernel's page cache, so that they can be mapped, and come in the kernel's
// pieces. All other files are open for direct I/O: each pread(2) of up to 1 MiB is one read here.
//
// Commands; COUNT -1 means: for ever. `done` is the answer where none is given.
//   fail FILE ERRNO COUNT      the next COUNT reads fail with this error number
//   end FILE COUNT             the next COUNT reads give nothing, as if the file ended before them
//   short FILE BYTES COUNT     the next COUNT reads of more give so many bytes
//   flip FILE OFFSET COUNT     the byte at OFFSET is wrong in the next COUNT reads that give it
//   delay FILE MILLISECONDS    every read takes so much longer
//   hold FILE                  reads wait from now on …
//   release FILE               … until now
//   clear FILE                 no more faults, no delay; counts begin at zero
//   count FILE                 {"reads":…,"bytes":…,"faults":…,"underWay":…,"mostUnderWay":…} since then
// Of fail, end, short and flip the latest of each kind holds. A read that fails or ends is counted against none of the
// others.
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <mutex>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "core/file.h"
#include "storage_server.h"

namespace {

using namespace shoal::fuse;
using shoal::UniqueFd;

constexpr unsigned kThreads = 32;
constexpr size_t kLongestRead = 1 << 20;
constexpr uint32_t kDirectIo = 1;       // FOPEN_DIRECT_IO
constexpr uint64_t kFirstFileNode = 2;  // the root is 1

// Something that happens to the next `left` reads; below zero: to all.
struct Fault {
  int64_t left = 0;
  uint64_t value = 0;  // error number, bytes or offset

  bool Happens() {
    if (left == 0) return false;
    if (left > 0) left--;
    return true;
  }
};

struct File {
  std::string name;
  Fault fail;
  Fault end;
  Fault shorten;
  Fault flip;
  unsigned delay = 0;  // milliseconds
  bool held = false;
  uint64_t reads = 0;
  uint64_t bytes = 0;
  uint64_t faults = 0;
  uint64_t under_way = 0;
  uint64_t most_under_way = 0;
};

class Storage {
 public:
  explicit Storage(std::string source) : source_(std::move(source)) {}

  std::string Obey(const std::string& line);
  void Serve(int device);

 private:
  File& Named(const std::string& name, uint64_t* node = nullptr);
  std::string PathOf(uint64_t node);
  int Fill(uint64_t node, Attr* attr);
  int Lookup(const char* name, EntryOut* out);
  int Read(uint64_t node, const ReadIn& in, std::vector<uint8_t>* out);
  int ReadFaulty(const std::string& path, File& file, const ReadIn& in, std::vector<uint8_t>* out,
                 std::unique_lock<std::mutex>& lock);
  int Answer(const InHeader& header, const uint8_t* body, std::vector<uint8_t>* out);

  const std::string source_;
  std::mutex mutex_;
  std::condition_variable released_;
  std::deque<File> files_;  // node kFirstFileNode + place
};

// With mutex_ held. A name that is not known yet gets a node.
File& Storage::Named(const std::string& name, uint64_t* node) {
  size_t place = 0;
  while (place < files_.size() && files_[place].name != name) place++;
  if (place == files_.size()) {
    files_.emplace_back();
    files_.back().name = name;
  }
  if (node != nullptr) *node = kFirstFileNode + place;
  return files_[place];
}

std::string Storage::PathOf(uint64_t node) {
  if (node < kFirstFileNode) return source_;
  std::lock_guard<std::mutex> lock(mutex_);
  return source_ + "/" + files_.at(node - kFirstFileNode).name;
}

std::string Storage::Obey(const std::string& line) {
  std::istringstream words(line);
  std::string command;
  std::string name;
  words >> command >> name;
  std::lock_guard<std::mutex> lock(mutex_);
  File& file = Named(name);
  if (command == "fail") {
    words >> file.fail.value >> file.fail.left;
  } else if (command == "end") {
    words >> file.end.left;
  } else if (command == "short") {
    words >> file.shorten.value >> file.shorten.left;
  } else if (command == "flip") {
    words >> file.flip.value >> file.flip.left;
  } else if (command == "delay") {
    words >> file.delay;
  } else if (command == "hold" || command == "release") {
    file.held = command == "hold";
    released_.notify_all();
  } else if (command == "clear") {
    const uint64_t under_way = file.under_way;
    file = File();
    file.name = name;
    file.under_way = file.most_under_way = under_way;
    released_.notify_all();
  } else if (command == "count") {
    std::ostringstream json;
    json << "{\"reads\":" << file.reads << ",\"bytes\":" << file.bytes << ",\"faults\":" << file.faults
         << ",\"underWay\":" << file.under_way << ",\"mostUnderWay\":" << file.most_under_way << "}";
    return json.str();
  } else {
    return "unknown command";
  }
  return words ? "done" : "incomplete command";
}

int Storage::Fill(uint64_t node, Attr* attr) {
  struct stat info;
  if (stat(PathOf(node).c_str(), &info) != 0) return errno;
  attr->ino = node;
  FillAttr(info, attr);
  return 0;
}

// Nothing is remembered by the kernel, so a change of the source is seen at once.
int Storage::Lookup(const char* name, EntryOut* out) {
  struct stat info;
  if (stat((source_ + "/" + name).c_str(), &info) != 0) return errno;
  if (!S_ISREG(info.st_mode)) return ENOENT;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    Named(name, &out->nodeid);
  }
  return Fill(out->nodeid, &out->attr);
}

int Storage::Read(uint64_t node, const ReadIn& in, std::vector<uint8_t>* out) {
  const std::string path = PathOf(node);
  std::unique_lock<std::mutex> lock(mutex_);
  File& file = files_.at(node - kFirstFileNode);
  file.reads++;
  file.under_way++;
  file.most_under_way = std::max(file.most_under_way, file.under_way);
  const int error = ReadFaulty(path, file, in, out, lock);
  file.under_way--;
  file.bytes += out->size();
  return error;
}

int Storage::ReadFaulty(const std::string& path, File& file, const ReadIn& in, std::vector<uint8_t>* out,
                        std::unique_lock<std::mutex>& lock) {
  released_.wait(lock, [&] { return !file.held; });
  const auto delay = std::chrono::milliseconds(file.delay);
  const bool fails = file.fail.Happens();
  const int failure = static_cast<int>(file.fail.value);
  const bool ends = !fails && file.end.Happens();
  if (fails || ends) file.faults++;
  lock.unlock();
  std::this_thread::sleep_for(delay);
  size_t got = 0;
  out->resize(fails || ends ? 0 : in.size);
  UniqueFd fd;
  shoal::Status status;
  if (!out->empty()) status = shoal::OpenForRead(path, &fd);
  if (!out->empty() && status.ok()) status = shoal::ReadUpTo(fd.get(), path, in.offset, out->data(), in.size, &got);
  out->resize(got);
  lock.lock();
  if (fails) return failure;
  if (!status.ok()) return status.error();
  if (got > file.shorten.value && file.shorten.Happens()) {
    file.faults++;
    out->resize(file.shorten.value);
  }
  const uint64_t flipped = file.flip.value - in.offset;
  if (file.flip.value >= in.offset && flipped < out->size() && file.flip.Happens()) {
    file.faults++;
    (*out)[flipped] ^= 0x40;
  }
  return 0;
}

// An errno, or 0 and what to reply.
int Storage::Answer(const InHeader& header, const uint8_t* body, std::vector<uint8_t>* out) {
  switch (static_cast<Opcode>(header.opcode)) {
    case Opcode::kInit: {
      auto* reply = Fresh<InitOut>(out);
      reply->major = kMajor;
      reply->minor = kMinor;
      reply->flags = static_cast<uint32_t>(kAsyncRead | kAsyncDio | kMaxPages);
      reply->max_write = kLongestRead;
      reply->max_pages = static_cast<uint16_t>(kLongestRead / static_cast<size_t>(sysconf(_SC_PAGESIZE)));
      reply->max_readahead = 128 << 10;
      return 0;
    }
    case Opcode::kLookup:
      return Lookup(reinterpret_cast<const char*>(body), Fresh<EntryOut>(out));
    case Opcode::kGetattr:
      return Fill(header.nodeid, &Fresh<AttrOut>(out)->attr);
    case Opcode::kOpen: {
      const std::string path = PathOf(header.nodeid);
      const bool mapped = path.size() > 6 && path.compare(path.size() - 6, 6, ".shoal") == 0;
      Fresh<OpenOut>(out)->open_flags = mapped ? 0 : kDirectIo;
      return 0;
    }
    case Opcode::kRead: {
      ReadIn in;
      std::memcpy(&in, body, sizeof in);
      return Read(header.nodeid, in, out);
    }
    case Opcode::kStatfs: {
      auto* reply = Fresh<StatfsOut>(out);
      reply->bsize = reply->frsize = 4096;
      reply->namelen = NAME_MAX;
      return 0;
    }
    case Opcode::kRelease:
    case Opcode::kDestroy:
      return 0;
    default:
      return ENOSYS;
  }
}

void Storage::Serve(int device) {
  ServeRequests(device, kLongestRead, [this](const InHeader& header, const uint8_t* body, std::vector<uint8_t>* out) {
    return Answer(header, body, out);
  });
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 3) return 2;
  Storage storage(arguments[1]);
  ServeWhile(&storage, arguments[1], arguments[2], kThreads, [&] {
    ObeyLines(&storage);
    return 0;
  });
}
