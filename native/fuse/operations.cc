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

// Less is copied faster than it is moved.
constexpr size_t kLeastSplice = 32 << 10;

// Positions in a directory: 0 is before ".", 1 before "..", 2 + k before child k.
constexpr uint64_t kFirstChildPosition = 2;

// A name in a request ends with a zero; else the request was cut off.
bool TakeName(std::string_view body, std::string_view* name) {
  const size_t end = body.find('\0');
  *name = body.substr(0, end);
  return end != std::string_view::npos;
}

}  // namespace

Operations::Operations(Tree& tree, const Presentation& presentation, const Lifetimes& lifetimes, Log log)
    : tree_(tree), presentation_(presentation), lifetimes_(lifetimes), log_(std::move(log)) {
  for (const std::unique_ptr<Image>& image : tree_.layers()) {
    bool acls = false;
    has_acls_ = !image->index().MayHaveAcls(&acls).ok() || acls || has_acls_;
    has_xattrs_ = image->index().has_xattrs() || has_xattrs_;
    may_splice_ = image->GivesUnchecked() || may_splice_;
  }
}

void Operations::SetZeroMessageOpens(bool files, bool directories) {
  open_error_ = files ? ENOSYS : 0;
  opendir_error_ = directories ? ENOSYS : 0;
}

Answer Operations::Handle(const InHeader& header, std::string_view body, Workspace& workspace) {
  for (int tries = 0; tries < kTries; tries++) {
    const uint64_t faults = IndexView::faults();
    const Answer answer = HandleOnce(header, body, workspace);
    if (IndexView::faults() == faults) return answer;
  }
  Place at;
  if (!tree_.Find(header.nodeid, &at)) return Refuse(EIO);
  return Fail(Status(Code::kIo, "storage does not give the index").At(tree_.index(at).path()), at);
}

// Copies what it gives out of the map, so that a fault while copying is seen above.
Answer Operations::HandleOnce(const InHeader& header, std::string_view body, Workspace& workspace) {
  const auto opcode = static_cast<Opcode>(header.opcode);
  if (opcode == Opcode::kForget || opcode == Opcode::kBatchForget || opcode == Opcode::kInterrupt) return NoReply();
  if (opcode == Opcode::kDestroy) return Answer();
  if (opcode == Opcode::kStatfs) return Statfs(workspace);

  Place at;
  if (!tree_.Find(header.nodeid, &at)) return Refuse(ESTALE);

  switch (opcode) {
    case Opcode::kLookup: {
      std::string_view name;
      return TakeName(body, &name) ? Lookup(at, name, workspace) : Refuse(EINVAL);
    }
    case Opcode::kGetattr:
      return Getattr(at, workspace);
    case Opcode::kReadlink:
      return Readlink(at, workspace);
    case Opcode::kRead: {
      ReadIn in;
      return Take(body, &in) ? Read(at, in, workspace) : Refuse(EINVAL);
    }
    case Opcode::kReaddir:
    case Opcode::kReaddirplus: {
      ReadIn in;
      return Take(body, &in) ? Readdir(at, in, opcode == Opcode::kReaddirplus, workspace) : Refuse(EINVAL);
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
      if (!has_xattrs_) return Refuse(ENOSYS);
      if (!Take(body, &in) || !TakeName(body.substr(sizeof in), &name)) return Refuse(EINVAL);
      return Getxattr(at, in.size, name, workspace);
    }
    case Opcode::kListxattr: {
      GetxattrIn in;
      return Take(body, &in) ? Listxattr(at, in.size, workspace) : Refuse(EINVAL);
    }
    case Opcode::kLseek: {
      LseekIn in;
      return Take(body, &in) ? Lseek(at, in, workspace) : Refuse(EINVAL);
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

Answer Operations::Lookup(const Place& at, std::string_view name, Workspace& workspace) {
  Entry directory;
  Status status = tree_.index(at).Get(at.number, &directory);
  if (!status.ok()) return Fail(status, at);

  Place found;
  Entry entry;
  if (name == ".") {  // of any type: it is how file handles are resolved
    bool reachable = false;
    found = at;
    status = tree_.index(at).Resolve(at.number, &entry);
    if (status.ok()) status = tree_.IsReachable(at, entry, &reachable);
    if (status.ok() && !reachable) return Refuse(ESTALE);
  } else if (!directory.IsDirectory()) {
    return Refuse(ENOTDIR);
  } else if (name == "..") {
    found = tree_.Parent(at, directory);
    status = tree_.index(found).Resolve(found.number, &entry);
  } else {
    if (name.size() > format::kMaxNameLength) return Refuse(ENAMETOOLONG);
    status = tree_.Lookup(at, directory, name, &found, &entry);
  }

  auto* out = Fresh<EntryOut>(workspace);
  if (status.ok() && !found.exists()) {
    if (lifetimes_.negative == 0) return Refuse(ENOENT);
    out->entry_valid = WholeSeconds(lifetimes_.negative);
    out->entry_valid_nsec = RestNanoseconds(lifetimes_.negative);
    return Give(out, sizeof *out);
  }
  if (status.ok()) status = FillEntry(found.layer, entry, out, workspace);
  return status.ok() ? Give(out, sizeof *out) : Fail(status, found.exists() ? found : at);
}

Answer Operations::Readlink(const Place& at, Workspace& workspace) {
  Entry entry;
  std::string_view target;
  Status status = tree_.index(at).Resolve(at.number, &entry);
  if (status.ok() && !entry.IsSymlink()) return Refuse(EINVAL);
  if (status.ok()) status = tree_.index(at).LinkTarget(entry, &target);
  if (!status.ok()) return Fail(status, at);
  if (target.size() >= PATH_MAX) return Refuse(ENAMETOOLONG);
  std::memcpy(workspace.room, target.data(), target.size());
  return Give(workspace.room, target.size());
}

Answer Operations::Read(const Place& at, const ReadIn& in, Workspace& workspace) {
  Entry entry;
  Status status = tree_.index(at).Resolve(at.number, &entry);
  if (!status.ok()) return Fail(status, at);
  if (!entry.IsFile()) return Refuse(entry.IsDirectory() ? EISDIR : EINVAL);
  if (in.size > workspace.capacity) return Failure(EIO);  // fewer bytes would mean the end of the file
  Answer answer;
  if (in.size >= kLeastSplice && in.size <= workspace.splice &&
      tree_.image(at).Locate(entry, in.offset, in.size, &answer.file, &answer.offset, &answer.size)) {
    return answer;
  }
  size_t got = 0;
  status = tree_.image(at).Read(entry, in.offset, workspace.room, in.size, &got);
  return status.ok() ? Give(workspace.room, got) : Fail(status, at, true);
}

Answer Operations::Readdir(const Place& at, const ReadIn& in, bool plus, Workspace& workspace) {
  Entry directory;
  Status status = tree_.index(at).Get(at.number, &directory);
  if (!status.ok()) return Fail(status, at);
  if (!directory.IsDirectory()) return Refuse(ENOTDIR);

  const Tree::Children children = tree_.List(at, directory);
  const uint64_t end = kFirstChildPosition + children.positions;
  const size_t room = std::min<size_t>(in.size, workspace.capacity);
  size_t used = 0;
  for (uint64_t position = in.offset; position < end; position++) {
    Tree::Child child;
    if (position >= kFirstChildPosition) {
      status = tree_.At(children, position - kFirstChildPosition, &child);
      if (child.hidden) continue;
    } else {
      child.place = position == 0 ? at : tree_.Parent(at, directory);
      child.name = position == 0 ? "." : "..";
      status = tree_.index(child.place).Resolve(child.place.number, &child.entry);
    }
    size_t length = 0;
    if (status.ok()) {
      status = PutRecord(child.place.layer, child.entry, child.name, position + 1, plus, workspace.room + used,
                         room - used, workspace, &length);
    }
    // What stands before the damage is listed; the next request begins with the damage.
    if (!status.ok()) return used > 0 ? Give(workspace.room, used) : Fail(status, child.place);
    if (length == 0) break;
    used += length;
  }
  return Give(workspace.room, used);
}

Status Operations::PutRecord(uint32_t layer, const Entry& entry, std::string_view name, uint64_t next, bool plus,
                             uint8_t* to, size_t room, Workspace& workspace, size_t* length) const {
  const size_t header = plus ? sizeof(Direntplus) : sizeof(Dirent);
  const size_t needed = RecordLength(header, name.size());
  *length = 0;
  if (needed > room) return Status();
  std::memset(to + needed - 8, 0, 8);  // the padding; needed is at least 32
  if (plus) {
    auto* out = reinterpret_cast<EntryOut*>(to);
    std::memset(out, 0, sizeof *out);
    SHOAL_RETURN_IF_ERROR(FillEntry(layer, entry, out, workspace));
    // The kernel has the nodes of "." and ".."; zero tells it to take only what READDIR gives.
    if (name == "." || name == "..") out->nodeid = 0;
  }
  auto* dirent = reinterpret_cast<Dirent*>(to + header - sizeof(Dirent));
  dirent->ino = tree_.NodeOf({layer, entry.number});
  dirent->off = next;
  dirent->namelen = static_cast<uint32_t>(name.size());
  dirent->type = entry.mode >> 12;  // DT_ values are those of st_mode
  std::memcpy(to + header, name.data(), name.size());
  *length = needed;
  return Status();
}

Answer Operations::Statfs(Workspace& workspace) {
  auto* out = Fresh<StatfsOut>(workspace);
  out->blocks = (tree_.totals().bytes + kStatfsBlock - 1) / kStatfsBlock;
  out->files = tree_.totals().entries;
  out->bsize = kStatfsBlock;
  out->frsize = kStatfsBlock;
  out->namelen = format::kMaxNameLength;
  return Give(out, sizeof *out);
}

Answer Operations::Lseek(const Place& at, const LseekIn& in, Workspace& workspace) {
  Entry entry;
  Status status = tree_.index(at).Resolve(at.number, &entry);
  if (!status.ok()) return Fail(status, at);
  if (!entry.IsFile() || (in.whence != SEEK_DATA && in.whence != SEEK_HOLE)) return Refuse(EINVAL);
  if (in.offset >= entry.size) return Refuse(ENXIO);
  workspace.extents.clear();
  status = tree_.index(at).Extents(entry, &workspace.extents);
  if (!status.ok()) return Fail(status, at);

  uint64_t found = in.offset;  // moves over extents that touch each other
  for (const Extent& extent : workspace.extents) {
    if (extent.file_offset + extent.length <= found) continue;
    if (in.whence == SEEK_DATA) {
      found = std::max(found, extent.file_offset);
      break;
    }
    if (extent.file_offset > found) break;
    found = extent.file_offset + extent.length;
  }
  const bool any_after =
      !workspace.extents.empty() && workspace.extents.back().file_offset + workspace.extents.back().length > in.offset;
  if (in.whence == SEEK_DATA && !any_after) return Refuse(ENXIO);
  auto* out = Fresh<LseekOut>(workspace);
  out->offset = found;
  return Give(out, sizeof *out);
}

Answer Operations::Fail(const Status& status, const Place& at, bool named) {
  const int error = ErrnoFromCode(status.code());
  std::lock_guard<std::mutex> lock(told_mutex_);
  if (told_.size() >= kMaxTold || !told_.insert(tree_.NodeOf(at)).second) return Failure(error);
  std::string line;
  if (!named) {
    if (!tree_.index(at).Path(at.number, &line).ok()) line = "entry " + std::to_string(at.number);
    line = (line.empty() ? "the root" : line) + ": ";
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
