#include "fuse/operations.h"

#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "fuse/answers.h"

namespace shoal::fuse {
namespace {

constexpr uint32_t kStatfsBlock = 4096;

// Entries told to the log; what is damaged beyond that is one fault of the storage, not a hundred thousand.
constexpr size_t kMaxTold = 1000;

// A request whose answer was copied while a page of the index failed is handled again.
constexpr int kTries = 3;

// Positions in a directory: 0 is before ".", 1 before "..", 2 + k before child k.
constexpr uint64_t kFirstChildPosition = 2;

// A name in a request ends with a zero; else the request was cut off.
bool TakeName(std::string_view body, std::string_view* name) {
  const size_t end = body.find('\0');
  *name = body.substr(0, end);
  return end != std::string_view::npos;
}

}  // namespace

Operations::Operations(const Image& image, const Presentation& presentation, const Lifetimes& lifetimes, Log log)
    : image_(image), index_(image.index()), presentation_(presentation), lifetimes_(lifetimes), log_(std::move(log)) {
  if (!index_.MayHaveAcls(&has_acls_).ok()) has_acls_ = true;
}

void Operations::SetZeroMessageOpens(bool files, bool directories) {
  open_error_ = files ? ENOSYS : 0;
  opendir_error_ = directories ? ENOSYS : 0;
}

Answer Operations::Handle(const InHeader& header, std::string_view body, Workspace& workspace) {
  for (int tries = 0; tries < kTries; tries++) {
    const uint64_t faults = index_.faults();
    const Answer answer = HandleOnce(header, body, workspace);
    if (index_.faults() == faults) return answer;
  }
  const uint64_t number = std::min<uint64_t>(std::max<uint64_t>(header.nodeid, 1), index_.entry_count()) - 1;
  return Fail(Status(Code::kIo, "storage does not give the index"), static_cast<uint32_t>(number));
}

// Copies what it gives out of the map, so that a fault while copying is seen above.
Answer Operations::HandleOnce(const InHeader& header, std::string_view body, Workspace& workspace) {
  const auto opcode = static_cast<Opcode>(header.opcode);
  if (opcode == Opcode::kForget || opcode == Opcode::kBatchForget || opcode == Opcode::kInterrupt) return NoReply();
  if (opcode == Opcode::kDestroy) return Answer();
  if (opcode == Opcode::kStatfs) return Statfs(workspace);

  // Nodes come back from programs as file handles, too (open_by_handle_at(2)): they need not be any that was given out.
  if (header.nodeid == 0 || header.nodeid > index_.entry_count()) return Refuse(ESTALE);
  const auto number = static_cast<uint32_t>(header.nodeid - 1);

  switch (opcode) {
    case Opcode::kLookup: {
      std::string_view name;
      return TakeName(body, &name) ? Lookup(number, name, workspace) : Refuse(EINVAL);
    }
    case Opcode::kGetattr:
      return Getattr(number, workspace);
    case Opcode::kReadlink:
      return Readlink(number, workspace);
    case Opcode::kRead: {
      ReadIn in;
      return Take(body, &in) ? Read(number, in, workspace) : Refuse(EINVAL);
    }
    case Opcode::kReaddir:
    case Opcode::kReaddirplus: {
      ReadIn in;
      return Take(body, &in) ? Readdir(number, in, opcode == Opcode::kReaddirplus, workspace) : Refuse(EINVAL);
    }
    case Opcode::kOpen:
    case Opcode::kOpendir: {
      const bool directory = opcode == Opcode::kOpendir;
      const int error = directory ? opendir_error_ : open_error_;
      if (error != 0) return Refuse(error);
      auto* out = Fresh<OpenOut>(workspace);
      out->open_flags = kOpenKeepCache | (directory ? kOpenCacheDir : 0);
      return Give(out, sizeof *out);
    }
    case Opcode::kRelease:
    case Opcode::kReleasedir:
      return Answer();
    case Opcode::kGetxattr: {
      GetxattrIn in;
      std::string_view name;
      if (!index_.has_xattrs()) return Refuse(ENOSYS);
      if (!Take(body, &in) || !TakeName(body.substr(sizeof in), &name)) return Refuse(EINVAL);
      return Getxattr(number, in.size, name, workspace);
    }
    case Opcode::kListxattr: {
      GetxattrIn in;
      return Take(body, &in) ? Listxattr(number, in.size, workspace) : Refuse(EINVAL);
    }
    case Opcode::kLseek: {
      LseekIn in;
      return Take(body, &in) ? Lseek(number, in, workspace) : Refuse(EINVAL);
    }
    case Opcode::kIoctl:
      return Refuse(ENOTTY);
    case Opcode::kSetattr:
    case Opcode::kSymlink:
    case Opcode::kMknod:
    case Opcode::kMkdir:
    case Opcode::kUnlink:
    case Opcode::kRmdir:
    case Opcode::kRename:
    case Opcode::kRename2:
    case Opcode::kLink:
    case Opcode::kWrite:
    case Opcode::kSetxattr:
    case Opcode::kRemovexattr:
    case Opcode::kCreate:
    case Opcode::kFallocate:
    case Opcode::kTmpfile:
    case Opcode::kCopyFileRange:
    case Opcode::kCopyFileRange64:
      return Refuse(EROFS);
    default:
      // ACCESS, FLUSH, FSYNC, STATX and what is not invented yet: the kernel does without, and stops asking.
      return Refuse(ENOSYS);
  }
}

Answer Operations::Lookup(uint32_t directory, std::string_view name, Workspace& workspace) {
  Entry parent;
  Status status = index_.Get(directory, &parent);
  if (!status.ok()) return Fail(status, directory);

  uint32_t found = IndexView::kNone;
  if (name == ".") {
    found = directory;  // of any type: it is how file handles are resolved
  } else if (!parent.IsDirectory()) {
    return Refuse(ENOTDIR);
  } else if (name == "..") {
    found = parent.parent;
  } else {
    if (name.size() > format::kMaxNameLength) return Refuse(ENAMETOOLONG);
    status = index_.Lookup(parent, name, &found);
    if (!status.ok()) return Fail(status, directory);
  }

  auto* out = Fresh<EntryOut>(workspace);
  if (found == IndexView::kNone) {
    if (lifetimes_.negative == 0) return Refuse(ENOENT);
    out->entry_valid = WholeSeconds(lifetimes_.negative);
    out->entry_valid_nsec = RestNanoseconds(lifetimes_.negative);
    return Give(out, sizeof *out);
  }
  Entry entry;
  status = index_.Resolve(found, &entry);
  if (status.ok()) status = FillEntry(entry, out, workspace);
  return status.ok() ? Give(out, sizeof *out) : Fail(status, found);
}

Answer Operations::Readlink(uint32_t number, Workspace& workspace) {
  Entry entry;
  std::string_view target;
  Status status = index_.Resolve(number, &entry);
  if (status.ok() && !entry.IsSymlink()) return Refuse(EINVAL);
  if (status.ok()) status = index_.LinkTarget(entry, &target);
  if (!status.ok()) return Fail(status, number);
  if (target.size() >= PATH_MAX) return Refuse(ENAMETOOLONG);
  std::memcpy(workspace.room, target.data(), target.size());
  return Give(workspace.room, target.size());
}

Answer Operations::Read(uint32_t number, const ReadIn& in, Workspace& workspace) {
  Entry entry;
  Status status = index_.Resolve(number, &entry);
  if (!status.ok()) return Fail(status, number);
  if (!entry.IsFile()) return Refuse(entry.IsDirectory() ? EISDIR : EINVAL);
  if (in.size > workspace.capacity) return Failure(EIO);  // fewer bytes would mean the end of the file
  size_t got = 0;
  status = image_.Read(entry, in.offset, workspace.room, in.size, &got);
  return status.ok() ? Give(workspace.room, got) : Fail(status, number, true);
}

Answer Operations::Readdir(uint32_t number, const ReadIn& in, bool plus, Workspace& workspace) {
  Entry directory;
  Status status = index_.Get(number, &directory);
  if (!status.ok()) return Fail(status, number);
  if (!directory.IsDirectory()) return Refuse(ENOTDIR);

  const uint64_t end = kFirstChildPosition + directory.child_count;
  const size_t room = std::min<size_t>(in.size, workspace.capacity);
  size_t used = 0;
  for (uint64_t position = in.offset; position < end; position++) {
    uint32_t at = number;
    std::string_view name = ".";
    Entry entry;
    if (position == 1) {
      at = directory.parent;
      name = "..";
    } else if (position >= kFirstChildPosition) {
      at = directory.first_child + static_cast<uint32_t>(position - kFirstChildPosition);
      status = index_.Name(at, &name);
    }
    size_t length = 0;
    if (status.ok()) status = index_.Resolve(at, &entry);
    if (status.ok()) {
      status = PutRecord(entry, name, position + 1, plus, workspace.room + used, room - used, workspace, &length);
    }
    // What stands before the damage is listed; the next request begins with the damage.
    if (!status.ok()) return used > 0 ? Give(workspace.room, used) : Fail(status, at);
    if (length == 0) break;
    used += length;
  }
  return Give(workspace.room, used);
}

Status Operations::PutRecord(const Entry& entry, std::string_view name, uint64_t next, bool plus, uint8_t* to,
                             size_t room, Workspace& workspace, size_t* length) const {
  const size_t header = plus ? sizeof(Direntplus) : sizeof(Dirent);
  const size_t needed = RecordLength(header, name.size());
  *length = 0;
  if (needed > room) return Status();
  std::memset(to + needed - 8, 0, 8);  // the padding; needed is at least 32
  if (plus) {
    auto* out = reinterpret_cast<EntryOut*>(to);
    std::memset(out, 0, sizeof *out);
    SHOAL_RETURN_IF_ERROR(FillEntry(entry, out, workspace));
    // The kernel has the nodes of "." and ".."; zero tells it to take only what READDIR gives.
    if (name == "." || name == "..") out->nodeid = 0;
  }
  auto* dirent = reinterpret_cast<Dirent*>(to + header - sizeof(Dirent));
  dirent->ino = NodeOf(entry.number);
  dirent->off = next;
  dirent->namelen = static_cast<uint32_t>(name.size());
  dirent->type = entry.mode >> 12;  // DT_ values are those of st_mode
  std::memcpy(to + header, name.data(), name.size());
  *length = needed;
  return Status();
}

Answer Operations::Statfs(Workspace& workspace) {
  auto* out = Fresh<StatfsOut>(workspace);
  out->blocks = (index_.total_bytes() + kStatfsBlock - 1) / kStatfsBlock;
  out->files = index_.entry_count();
  out->bsize = kStatfsBlock;
  out->frsize = kStatfsBlock;
  out->namelen = format::kMaxNameLength;
  return Give(out, sizeof *out);
}

Answer Operations::Lseek(uint32_t number, const LseekIn& in, Workspace& workspace) {
  Entry entry;
  Status status = index_.Resolve(number, &entry);
  if (!status.ok()) return Fail(status, number);
  if (!entry.IsFile() || (in.whence != SEEK_DATA && in.whence != SEEK_HOLE)) return Refuse(EINVAL);
  if (in.offset >= entry.size) return Refuse(ENXIO);
  workspace.extents.clear();
  status = index_.Extents(entry, &workspace.extents);
  if (!status.ok()) return Fail(status, number);

  uint64_t at = in.offset;  // moves over extents that touch each other
  for (const Extent& extent : workspace.extents) {
    if (extent.file_offset + extent.length <= at) continue;
    if (in.whence == SEEK_DATA) {
      at = std::max(at, extent.file_offset);
      break;
    }
    if (extent.file_offset > at) break;
    at = extent.file_offset + extent.length;
  }
  const bool any_after =
      !workspace.extents.empty() && workspace.extents.back().file_offset + workspace.extents.back().length > in.offset;
  if (in.whence == SEEK_DATA && !any_after) return Refuse(ENXIO);
  auto* out = Fresh<LseekOut>(workspace);
  out->offset = at;
  return Give(out, sizeof *out);
}

Answer Operations::Fail(const Status& status, uint32_t number, bool named) {
  const int error = ErrnoFromCode(status.code());
  std::lock_guard<std::mutex> lock(told_mutex_);
  if (told_.size() >= kMaxTold || !told_.insert(number).second) return Failure(error);
  std::string line;
  if (!named) {
    if (!index_.Path(number, &line).ok()) line = "entry " + std::to_string(number);
    line += ": ";
  }
  line += status.message();
  if (!status.path().empty()) line += " (" + status.path();
  if (!status.path().empty() && status.offset() >= 0) line += ", offset " + std::to_string(status.offset());
  if (!status.path().empty()) line += ")";
  if (told_.size() == kMaxTold) line += "; further damaged entries are not listed";
  log_(line);
  return Failure(error);
}

}  // namespace shoal::fuse
