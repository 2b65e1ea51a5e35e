#include "core/status.h"

#include <cerrno>
#include <cstring>

namespace shoal {

const char* CodeName(Code code) {
  switch (code) {
    case Code::kOk:
      return "ok";
    case Code::kUsage:
      return "usage";
    case Code::kMissing:
      return "missing";
    case Code::kExists:
      return "exists";
    case Code::kPermission:
      return "permission";
    case Code::kIo:
      return "io";
    case Code::kUnsupported:
      return "unsupported";
    case Code::kBusy:
      return "busy";
    case Code::kUnreadable:
      return "unreadable";
    case Code::kChanged:
      return "changed";
    case Code::kNotImage:
      return "not-image";
    case Code::kVersion:
      return "version";
    case Code::kTruncated:
      return "truncated";
    case Code::kChecksum:
      return "checksum";
    case Code::kMalformed:
      return "malformed";
    case Code::kWrongVolume:
      return "wrong-volume";
    case Code::kDifferent:
      return "different";
    case Code::kPartial:
      return "partial";
    case Code::kCancelled:
      return "cancelled";
    case Code::kInternal:
      return "internal";
  }
  return "internal";
}

Code CodeFromErrno(int error) {
  switch (error) {
    case 0:
      return Code::kOk;
    case ENOENT:
    case ENOTDIR:
      return Code::kMissing;
    case EEXIST:
    case ENOTEMPTY:
      return Code::kExists;
    case EACCES:
    case EPERM:
      return Code::kPermission;
    case EBUSY:
      return Code::kBusy;
    case ENOSYS:
    case EOPNOTSUPP:
    case ENODEV:
      return Code::kUnsupported;
    case ECANCELED:
      return Code::kCancelled;
    default:
      return Code::kIo;
  }
}

int ErrnoFromCode(Code code) {
  switch (code) {
    case Code::kOk:
      return 0;
    case Code::kUsage:
      return EINVAL;
    case Code::kMissing:
      return ENOENT;
    case Code::kExists:
      return EEXIST;
    case Code::kPermission:
      return EACCES;
    case Code::kUnsupported:
      return EOPNOTSUPP;
    case Code::kBusy:
      return EBUSY;
    case Code::kCancelled:
      return ECANCELED;
    case Code::kIo:
    case Code::kUnreadable:
    case Code::kChanged:
    case Code::kNotImage:
    case Code::kVersion:
    case Code::kTruncated:
    case Code::kChecksum:
    case Code::kMalformed:
    case Code::kWrongVolume:
    case Code::kDifferent:
    case Code::kPartial:
    case Code::kInternal:
      return EIO;
  }
  return EIO;
}

Status Status::FromErrno(const char* action, std::string path, int error) {
  Status status(CodeFromErrno(error), std::string(action) + ": " + std::strerror(error));
  status.error_ = error;
  status.path_ = std::move(path);
  return status;
}

}  // namespace shoal
