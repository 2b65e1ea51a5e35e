// Plays a kernel of some protocol version to a session that serves a small image, and checks every reply:
//
//   scripted_kernel INDEX MAJOR.MINOR [withhold:FLAG | off:SWITCH]...
//
// It offers what a kernel of this version does, without what is withheld; switches of Tuning that are named are off.
// The image holds what test/mount/old-kernels.test.ts puts there. Prints `refused CODE: MESSAGE`, or what was agreed
// and what went over the line; `FAILED: ...` with status 1 if a reply was not as it must be.
#include <sys/stat.h>

#include <algorithm>
#include <condition_variable>
#include <iostream>
#include <map>
#include <memory>
#include <mutex>
#include <set>

#include "core/tree.h"
#include "fuse/session.h"
#include "kernel_side.h"

using namespace kernel_side;
using shoal::fuse::RequestKind;
using shoal::fuse::Statistics;

namespace {

struct Flag {
  const char* name;
  unsigned bit;
  unsigned since;  // minor version of the protocol
};

// What Linux offers, by the changelog in include/uapi/linux/fuse.h.
constexpr Flag kFlags[] = {
    {"async_read", 0, 6},
    {"posix_locks", 1, 7},
    {"atomic_o_trunc", 3, 9},
    {"export_support", 4, 10},
    {"big_writes", 5, 9},
    {"dont_mask", 6, 12},
    {"splice_write", 7, 14},
    {"splice_move", 8, 14},
    {"splice_read", 9, 14},
    {"flock_locks", 10, 17},
    {"has_ioctl_dir", 11, 18},
    {"auto_inval_data", 12, 20},
    {"do_readdirplus", 13, 21},
    {"readdirplus_auto", 14, 21},
    {"async_dio", 15, 22},
    {"writeback_cache", 16, 23},
    {"no_open_support", 17, 23},
    {"parallel_dirops", 18, 25},
    {"handle_killpriv", 19, 26},
    {"posix_acl", 20, 26},
    {"abort_error", 21, 27},
    {"max_pages", 22, 28},
    {"cache_symlinks", 23, 28},
    {"no_opendir_support", 24, 29},
    {"explicit_inval_data", 25, 30},
    {"map_alignment", 26, 31},
    {"submounts", 27, 32},
    {"handle_killpriv_v2", 28, 33},
    {"setxattr_ext", 29, 33},
    {"init_ext", 30, 36},
    {"security_ctx", 32, 36},
    {"has_inode_dax", 33, 36},
    {"create_supp_group", 34, 38},
    {"has_expire_only", 35, 38},
    {"direct_io_allow_mmap", 36, 39},
    {"passthrough", 37, 40},
    {"no_export_support", 38, 40},
    {"has_resend", 39, 40},
    {"allow_idmap", 40, 41},
    {"over_io_uring", 41, 42},
    {"request_timeout", 42, 43},
};

constexpr uint32_t kReadahead = 131072;
constexpr size_t kListing = 4096;
constexpr size_t kShortRead = 131072;
constexpr size_t kFileSize = 300000;
constexpr size_t kHoleSize = 1000000;
constexpr uint64_t kDataAt = 500000;
constexpr size_t kChildren = 200;

// How the server is to count an operation.
std::string CountedAs(uint32_t opcode) {
  static const std::map<uint32_t, const char*> names = {
      {FUSE_LOOKUP, "lookup"}, {FUSE_GETATTR, "getattr"},     {FUSE_READLINK, "readlink"},
      {FUSE_READ, "read"},     {FUSE_READDIR, "readdir"},     {FUSE_READDIRPLUS, "readdirplus"},
      {FUSE_OPEN, "open"},     {FUSE_OPENDIR, "open"},        {FUSE_GETXATTR, "getxattr"},
      {FUSE_STATFS, "statfs"}, {FUSE_LISTXATTR, "listxattr"}, {FUSE_LSEEK, "lseek"},
      {FUSE_FORGET, "forget"}, {FUSE_BATCH_FORGET, "forget"}};
  const auto found = names.find(opcode);
  return found == names.end() ? "other" : found->second;
}

uint64_t FlagNamed(const std::string& name) {
  for (const Flag& flag : kFlags) {
    if (name == flag.name) return uint64_t{1} << flag.bit;
  }
  Fail("no flag " + name);
}

std::string FlagNames(uint64_t flags) {
  std::string names;
  for (const Flag& flag : kFlags) {
    if ((flags >> flag.bit & 1) == 0) continue;
    names += std::string(" ") + flag.name;
    flags &= ~(uint64_t{1} << flag.bit);
  }
  ExpectEqual(0, flags, "flags without a name");
  return names;
}

void SwitchOff(const std::string& name, shoal::fuse::Tuning* tuning) {
  const std::map<std::string, bool*> switches = {{"skip_open", &tuning->skip_open},
                                                 {"skip_opendir", &tuning->skip_opendir},
                                                 {"readdirplus", &tuning->readdirplus},
                                                 {"cache_symlinks", &tuning->cache_symlinks},
                                                 {"clone_descriptor", &tuning->clone_descriptor},
                                                 {"polling", &tuning->polling},
                                                 {"parallel_dirops", &tuning->parallel_dirops}};
  if (switches.count(name) == 0) Fail("no switch " + name);
  *switches.at(name) = false;
}

// Waits for the end of a session, and counts it.
class Ending {
 public:
  void Come() {
    std::lock_guard<std::mutex> lock(mutex_);
    times_++;
    came_.notify_all();
  }
  void Wait() {
    std::unique_lock<std::mutex> lock(mutex_);
    if (!came_.wait_for(lock, std::chrono::seconds(60), [this] { return times_ > 0; })) Fail("the session never ends");
  }
  int times() const { return times_; }

 private:
  std::mutex mutex_;
  std::condition_variable came_;
  int times_ = 0;
};

// A kernel that has shaken hands.
class Kernel {
 public:
  Kernel(KernelSide& line, uint32_t minor, uint64_t agreed) : line_(line), minor_(minor), agreed_(agreed) {}

  void Run() {
    const uint64_t file = Lookup("file", S_IFREG | 0644);
    Missing();
    Attributes(file);
    const bool opened = Open(FUSE_OPEN, file, "no_open_support");
    ReadWhole(file);
    if (opened) Nothing(FUSE_RELEASE, file, Bytes(fuse_release_in{}));
    ExpectEqual(ENOSYS, static_cast<uint64_t>(Ask(FUSE_FLUSH, file, Bytes(fuse_flush_in{})).error), "FLUSH");
    const uint64_t directory = Lookup("directory", S_IFDIR | 0755);
    const bool directory_opened = Open(FUSE_OPENDIR, directory, "no_opendir_support");
    List(directory);
    if (directory_opened) Nothing(FUSE_RELEASEDIR, directory, Bytes(fuse_release_in{}));
    Link();
    Xattrs(file);
    Filesystem();
    if (minor_ >= 24) Holes();
    Unanswered(file);
    Unknown(file);
    Nothing(FUSE_DESTROY, 0, "");
  }

  // That the server counted what was asked, and nothing else.
  void CompareCounts(const Statistics& statistics) const {
    for (size_t kind = 0; kind < shoal::fuse::kRequestKinds; kind++) {
      const std::string name = KindName(static_cast<RequestKind>(kind));
      const auto found = asked_.find(name);
      ExpectEqual(found == asked_.end() ? 0 : found->second, statistics.requests[kind].latencies.Count(),
                  "counted requests of kind " + name);
      ExpectEqual(0, statistics.requests[kind].errors, "errors of kind " + name);
    }
    ExpectEqual(read_bytes_, statistics.served_bytes, "counted bytes");
    ExpectEqual(std::min(minor_, shoal::fuse::kMinor), statistics.minor, "minor version in the statistics");
    ExpectEqual(agreed_, statistics.flags, "flags in the statistics");
  }

 private:
  bool Agreed(const char* flag) const { return (agreed_ & FlagNamed(flag)) != 0; }

  Reply Ask(uint32_t opcode, uint64_t node, const std::string& body) {
    asked_[CountedAs(opcode)]++;
    return line_.Ask(opcode, node, body);
  }

  void Nothing(uint32_t opcode, uint64_t node, const std::string& body) {
    const Reply reply = Ask(opcode, node, body);
    ExpectEqual(0, static_cast<uint64_t>(reply.error), "error of operation " + std::to_string(opcode));
    ExpectEqual(0, reply.body.size(), "body of the reply to operation " + std::to_string(opcode));
  }

  void CheckAttr(const fuse_attr& attr, uint32_t mode) {
    ExpectEqual(mode, attr.mode, "mode");
    ExpectEqual(4, attr.mtimensec, "nanoseconds of mtime");
    ExpectEqual(1000, attr.uid, "uid");
    uint32_t last;  // flags since 7.32, padding before
    std::memcpy(&last, reinterpret_cast<const char*>(&attr) + sizeof attr - 4, 4);
    ExpectEqual(0, last, "flags of attributes");
  }

  uint64_t Lookup(const char* name, uint32_t mode) {
    const auto entry = Ask(FUSE_LOOKUP, FUSE_ROOT_ID, Name(name)).As<fuse_entry_out>("LOOKUP");
    Expect(entry.nodeid > FUSE_ROOT_ID, "expected a node");
    ExpectEqual(entry.nodeid, entry.attr.ino, "inode number");
    Expect(entry.entry_valid > 0 && entry.attr_valid > 0, "expected a lifetime");
    CheckAttr(entry.attr, mode);
    return entry.nodeid;
  }

  void Missing() {
    const auto entry = Ask(FUSE_LOOKUP, FUSE_ROOT_ID, Name("missing")).As<fuse_entry_out>("LOOKUP");
    ExpectEqual(0, entry.nodeid, "node of a name that is missing");
    Expect(entry.entry_valid > 0, "expected a lifetime of what is missing");
  }

  void Attributes(uint64_t file) {
    const auto out = Ask(FUSE_GETATTR, file, Bytes(fuse_getattr_in{})).As<fuse_attr_out>("GETATTR");
    CheckAttr(out.attr, S_IFREG | 0644);
    ExpectEqual(kFileSize, out.attr.size, "size");
    ExpectEqual(ESTALE, static_cast<uint64_t>(Ask(FUSE_GETATTR, 1 << 30, Bytes(fuse_getattr_in{})).error), "no node");
  }

  // ENOSYS only to a kernel that takes it for "do not ask".
  bool Open(uint32_t opcode, uint64_t node, const char* unasked) {
    const char* name = opcode == FUSE_OPEN ? "open" : "opendir";
    const Reply reply = Ask(opcode, node, Bytes(fuse_open_in{}));
    if (Agreed(unasked)) {
      ExpectEqual(ENOSYS, static_cast<uint64_t>(reply.error), name);
      std::cout << name << " never again\n";
      return false;
    }
    const auto out = reply.As<fuse_open_out>(name);
    Expect((out.open_flags & FOPEN_KEEP_CACHE) != 0, "expected to keep the cache");
    std::cout << name << " answered\n";
    return true;
  }

  Reply Read(uint64_t node, uint64_t offset, size_t size) {
    fuse_read_in in{};
    in.offset = offset;
    in.size = static_cast<uint32_t>(size);
    Reply reply = Ask(FUSE_READ, node, Bytes(in));
    ExpectEqual(0, static_cast<uint64_t>(reply.error), "READ");
    read_bytes_ += reply.body.size();
    return reply;
  }

  void CheckContent(const std::vector<uint8_t>& bytes, uint64_t from, size_t expected) {
    ExpectEqual(expected, bytes.size(), "bytes of a READ");
    for (size_t i = 0; i < bytes.size(); i++) {
      if (bytes[i] != (from + i) % 251) Fail("byte " + std::to_string(from + i) + " of the content");
    }
  }

  void ReadWhole(uint64_t file) {
    for (uint64_t at = 0; at < kFileSize; at += kShortRead) {
      CheckContent(Read(file, at, kShortRead).body, at, std::min<uint64_t>(kShortRead, kFileSize - at));
    }
    if (line_.long_replies()) CheckContent(Read(file, 0, 1 << 20).body, 0, kFileSize);
    CheckContent(Read(file, 299000, 4096).body, 299000, 1000);
    CheckContent(Read(file, kFileSize, 4096).body, kFileSize, 0);
  }

  void List(uint64_t directory) {
    const bool plus = Agreed("do_readdirplus");
    std::vector<std::string> names;
    for (uint64_t offset = 0;;) {
      fuse_read_in in{};
      in.offset = offset;
      in.size = kListing;
      const Reply reply = Ask(plus ? FUSE_READDIRPLUS : FUSE_READDIR, directory, Bytes(in));
      ExpectEqual(0, static_cast<uint64_t>(reply.error), "listing");
      Expect(reply.body.size() <= kListing, "expected no more than was asked for");
      if (reply.body.empty()) break;
      for (size_t at = 0; at < reply.body.size();) at = TakeRecord(reply.body, at, plus, &offset, &names);
    }
    ExpectEqual(kChildren + 2, names.size(), "entries listed");
    ExpectEqual(kChildren + 2, std::set<std::string>(names.begin(), names.end()).size(), "names listed");
    Expect(names[0] == "." && names[1] == "..", "expected . and .. first");
    std::cout << "listed with " << (plus ? "READDIRPLUS" : "READDIR") << '\n';
  }

  size_t TakeRecord(const std::vector<uint8_t>& body, size_t at, bool plus, uint64_t* offset,
                    std::vector<std::string>* names) {
    const size_t before = plus ? sizeof(fuse_entry_out) : 0;
    Expect(at + before + FUSE_NAME_OFFSET <= body.size(), "a record that is cut off");
    fuse_dirent dirent;
    std::memcpy(&dirent, body.data() + at + before, FUSE_NAME_OFFSET);
    const size_t length = FUSE_DIRENT_ALIGN(before + FUSE_NAME_OFFSET + dirent.namelen);
    Expect(at + length <= body.size(), "a name that is cut off");
    names->emplace_back(reinterpret_cast<const char*>(body.data()) + at + before + FUSE_NAME_OFFSET, dirent.namelen);
    Expect(dirent.off > *offset, "expected rising offsets");
    *offset = dirent.off;
    if (plus && names->size() > 2) {
      fuse_entry_out entry;
      std::memcpy(&entry, body.data() + at, sizeof entry);
      ExpectEqual(dirent.ino, entry.nodeid, "node in a listing");
      CheckAttr(entry.attr, S_IFREG | 0644);
      ExpectEqual(entry.attr.mode >> 12, dirent.type, "type in a listing");
    }
    return at + length;
  }

  void Link() {
    const Reply reply = Ask(FUSE_READLINK, Lookup("link", S_IFLNK | 0777), "");
    ExpectEqual(0, static_cast<uint64_t>(reply.error), "READLINK");
    Expect(std::string(reply.body.begin(), reply.body.end()) == "to/somewhere", "target of the link");
  }

  void Xattrs(uint64_t file) {
    const auto ask = [&](uint32_t size, const char* name) {
      return Ask(FUSE_GETXATTR, file, Bytes(fuse_getxattr_in{size, 0}) + Name(name));
    };
    ExpectEqual(4, ask(0, "user.note").As<fuse_getxattr_out>("GETXATTR").size, "length of an attribute");
    const Reply value = ask(64, "user.note");
    Expect(std::string(value.body.begin(), value.body.end()) == "note", "value of an attribute");
    ExpectEqual(ERANGE, static_cast<uint64_t>(ask(3, "user.note").error), "too little room");
    ExpectEqual(ENODATA, static_cast<uint64_t>(ask(64, "user.none").error), "no attribute");
    const auto length = Ask(FUSE_LISTXATTR, file, Bytes(fuse_getxattr_in{})).As<fuse_getxattr_out>("LISTXATTR").size;
    const Reply list = Ask(FUSE_LISTXATTR, file, Bytes(fuse_getxattr_in{length, 0}));
    ExpectEqual(length, list.body.size(), "list of attributes");
    const std::string names(list.body.begin(), list.body.end());
    Expect(names.find(Name("user.note")) != std::string::npos, "expected user.note in the list");
  }

  void Filesystem() {
    const auto out = Ask(FUSE_STATFS, FUSE_ROOT_ID, "").As<fuse_statfs_out>("STATFS");
    ExpectEqual(kChildren + 5, out.st.files, "entries");
    ExpectEqual(255, out.st.namelen, "longest name");
  }

  void Holes() {
    const uint64_t node = Lookup("hole", S_IFREG | 0644);
    const auto seek = [&](uint64_t offset, uint32_t whence) {
      struct {
        uint64_t handle, offset;
        uint32_t whence, padding;
      } const in = {0, offset, whence, 0};
      return Ask(FUSE_LSEEK, node, Bytes(in));
    };
    ExpectEqual(kDataAt, seek(0, SEEK_DATA).As<uint64_t>("LSEEK"), "begin of the data");
    ExpectEqual(kDataAt + 4, seek(kDataAt, SEEK_HOLE).As<uint64_t>("LSEEK"), "end of the data");
    ExpectEqual(ENXIO, static_cast<uint64_t>(seek(kHoleSize, SEEK_DATA).error), "beyond the end");
    std::cout << "holes told\n";
  }

  // Of a reply to these, STATFS would get the wrong one.
  void Unanswered(uint64_t file) {
    const auto send = [&](uint32_t opcode, const std::string& body) {
      asked_[CountedAs(opcode)]++;
      line_.Send(opcode, file, body);
    };
    send(FUSE_FORGET, Bytes(fuse_forget_in{1}));
    send(FUSE_BATCH_FORGET,
         Bytes(fuse_batch_forget_in{2, 0}) + Bytes(fuse_forget_one{file, 1}) + Bytes(fuse_forget_one{file, 1}));
    send(FUSE_INTERRUPT, Bytes(fuse_interrupt_in{1}));
    Filesystem();
  }

  void Unknown(uint64_t file) {
    for (uint32_t opcode : {0u, 52u, 9999u}) {
      ExpectEqual(ENOSYS, static_cast<uint64_t>(Ask(opcode, file, std::string(64, 'x')).error), "unknown operation");
    }
    ExpectEqual(EROFS, static_cast<uint64_t>(Ask(FUSE_UNLINK, FUSE_ROOT_ID, Name("file")).error), "UNLINK");
  }

  KernelSide& line_;
  const uint32_t minor_;
  const uint64_t agreed_;
  std::map<std::string, uint64_t> asked_;
  uint64_t read_bytes_ = 0;
};

// Checks the reply to INIT and returns the flags that were agreed.
uint64_t CheckInit(const InitReply& reply, uint32_t minor, uint64_t offered) {
  const uint64_t flags = reply.flags | uint64_t{reply.flags2} << 32;
  ExpectEqual(7, reply.major, "major version");
  ExpectEqual(std::min(minor, shoal::fuse::kMinor), reply.minor, "minor version");
  ExpectEqual(0, flags & ~offered, "flags that were not offered");
  Expect(reply.flags2 == 0 || (reply.flags & FlagNamed("init_ext")) != 0, "flags2 without init_ext");
  Expect(reply.max_readahead <= kReadahead, "expected no more readahead than was offered");
  Expect(reply.max_write >= 4096, "max_write");
  Expect(reply.max_background > 0 && reply.congestion_threshold <= reply.max_background, "max_background");
  ExpectEqual(1, reply.time_gran, "time_gran");
  const bool pages = (flags & FlagNamed("max_pages")) != 0;
  Expect(pages ? reply.max_pages >= 32 && reply.max_pages <= 256 : reply.max_pages == 0, "max_pages");
  ExpectEqual(0, reply.map_alignment, "map_alignment");
  for (uint32_t word : reply.unused) ExpectEqual(0, word, "unused words of INIT");
  std::cout << "agreed 7." << reply.minor << FlagNames(flags) << "\npages " << reply.max_pages << '\n';
  return flags;
}

// Runs beside the server, which waits for its handshake.
uint64_t ShakeHands(KernelSide& line, uint32_t major, uint32_t minor, uint64_t offered) {
  Reply reply = line.Ask(FUSE_INIT, 0, InitBody(major, minor, kReadahead, offered));
  if (major > 7 && reply.error == 0) {
    ExpectEqual(7, reply.As<InitReply>("INIT").major, "major version");
    std::cout << "asked for major version 7\n";
    reply = line.Ask(FUSE_INIT, 0, InitBody(7, minor, kReadahead, offered));
  }
  if (reply.error != 0) {
    ExpectEqual(EPROTO, static_cast<uint64_t>(reply.error), "error of INIT");
    return 0;
  }
  return CheckInit(reply.As<InitReply>("INIT"), minor, offered);
}

}  // namespace

int main(int count, char** arguments) {
  unsigned major = 0;
  unsigned minor = 0;
  if (count < 3 || std::sscanf(arguments[2], "%u.%u", &major, &minor) != 2) return 2;
  shoal::fuse::Tuning tuning;
  uint64_t offered = 0;
  for (const Flag& flag : kFlags) {
    if (flag.since <= minor) offered |= uint64_t{1} << flag.bit;
  }
  for (int i = 3; i < count; i++) {
    const std::string argument = arguments[i];
    if (argument.rfind("withhold:", 0) == 0) offered &= ~FlagNamed(argument.substr(9));
    if (argument.rfind("off:", 0) == 0) SwitchOff(argument.substr(4), &tuning);
  }

  std::unique_ptr<shoal::Tree> tree;
  shoal::Status status = shoal::Tree::Open({arguments[1]}, "", shoal::ReadOptions(), &tree);
  if (!status.ok()) Fail(status.message());
  std::string told;
  shoal::fuse::Operations operations(*tree, {}, tuning.lifetimes, [&](const std::string& line) { told = line; });
  shoal::UniqueFd device;
  KernelSide line(&device);
  Ending ending;
  uint64_t agreed = 0;
  std::thread hands([&] { agreed = ShakeHands(line, major, minor, offered); });
  std::unique_ptr<shoal::fuse::Session> session;
  status = shoal::fuse::Session::Start(
      std::move(device), operations, tuning, [&] { ending.Come(); }, &session);
  hands.join();
  if (!status.ok()) {
    std::cout << "refused " << CodeName(status.code()) << ": " << status.message() << '\n';
    return 0;
  }

  Kernel kernel(line, minor, agreed);
  kernel.Run();
  line.Close();
  ending.Wait();
  Statistics statistics;  // a request is counted after its answer was sent
  session->Tell(&statistics);
  kernel.CompareCounts(statistics);
  session.reset();
  ExpectEqual(1, static_cast<uint64_t>(ending.times()), "ends of the session");
  Expect(told.empty(), "expected nothing in the log, found " + told);
  std::cout << "ended\n";
  return 0;
}
