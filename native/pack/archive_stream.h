// The bytes of an archive from its beginning to its end, decompressed by a program where it is compressed: no library
// for it needs to be linked, and decompressing has a processor of its own.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/file.h"
#include "core/status.h"

namespace shoal {

// How an archive is read.
struct ArchiveSource {
  std::string path;
  std::string shown;                 // the name that messages say
  std::vector<std::string> command;  // a program that decompresses standard input, and its arguments; empty: none
  bool is_own = false;               // it is one of Shoal's: its status tells a Code, and its message is for users
};

class ArchiveStream {
 public:
  // kUnsupported where the program is not there.
  static Status Open(const ArchiveSource& source, std::unique_ptr<ArchiveStream>* out);
  ~ArchiveStream();  // ends the program
  ArchiveStream(const ArchiveStream&) = delete;
  ArchiveStream& operator=(const ArchiveStream&) = delete;

  const std::string& shown() const { return source_.shown; }

  // Reads `size` bytes, fewer only at the end, where the program must have ended well.
  Status Read(void* to, size_t size, size_t* got);
  // Passes over bytes; *skipped are fewer only at the end.
  Status Skip(uint64_t size, uint64_t* skipped);

  // Of the archive as it lies, in bytes, and how far of them the stream has come.
  uint64_t length() const { return length_; }
  uint64_t position() const;

 private:
  explicit ArchiveStream(ArchiveSource source) : source_(std::move(source)) {}
  Status Start();
  Status WaitForEnd();
  Status Failure(int state, std::string said) const;

  const ArchiveSource source_;
  UniqueFd file_;
  UniqueFd output_;  // of the program
  UniqueFd errors_;  // what it says
  pid_t program_ = -1;
  uint64_t length_ = 0;
};

}  // namespace shoal
