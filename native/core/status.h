// The outcome of an operation that can fail. Core code throws nothing.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

namespace shoal {

// The closed set of error codes, the same as ErrorCode in src/base/errors.ts (a test compares the two).
enum class Code : uint8_t {
  kOk,
  kUsage,
  kMissing,
  kExists,
  kPermission,
  kIo,
  kUnsupported,
  kBusy,
  kUnreadable,   // a source entry could not be read
  kChanged,      // a source entry changed while it was read
  kNotImage,     // no magic
  kVersion,      // a version or feature that this reader does not know
  kTruncated,    // shorter than its header or index says
  kChecksum,     // stored and computed CRC32C differ
  kMalformed,    // fields contradict each other or point outside
  kWrongVolume,  // a file lies where the volume should, but it is another one
  kDifferent,    // compared content or metadata differ
  kPartial,      // done in part, the rest is listed
  kCancelled,
  kInternal,
};

// "kWrongVolume" is "wrong-volume"; the names that JavaScript and users see.
const char* CodeName(Code code);

// Code for an errno value of a failed system call (ENOENT → kMissing, EACCES and EPERM → kPermission, else kIo …).
Code CodeFromErrno(int error);

// errno for a reply to the kernel; every damage code is EIO. Exhaustive.
int ErrnoFromCode(Code code);

class [[nodiscard]] Status {
 public:
  Status() = default;  // ok
  Status(Code code, std::string message) : code_(code), message_(std::move(message)) {}

  // "cannot open", path, errno → code from errno, message "cannot open: No such file or directory".
  static Status FromErrno(const char* action, std::string path, int error);

  Status&& At(std::string path, int64_t offset = -1) && {
    path_ = std::move(path);
    offset_ = offset;
    return std::move(*this);
  }

  // Puts what was being done in front of the message: "reading a/b: cannot read: …".
  Status&& While(const std::string& doing) && {
    message_ = doing + ": " + message_;
    return std::move(*this);
  }

  bool ok() const { return code_ == Code::kOk; }
  Code code() const { return code_; }
  const std::string& message() const { return message_; }  // expected, found, what to do
  const std::string& path() const { return path_; }        // bytes; empty where none applies
  int64_t offset() const { return offset_; }               // in the file at path; -1 where none applies
  int error() const { return error_; }                     // errno, or 0

 private:
  Code code_ = Code::kOk;
  int error_ = 0;
  int64_t offset_ = -1;
  std::string message_;
  std::string path_;
};

#define SHOAL_RETURN_IF_ERROR(expression)                \
  do {                                                   \
    ::shoal::Status status_of_macro_ = (expression);     \
    if (!status_of_macro_.ok()) return status_of_macro_; \
  } while (0)

}  // namespace shoal
