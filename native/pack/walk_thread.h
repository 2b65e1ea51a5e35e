// One thread of a walk.
#pragma once

#include <sys/stat.h>

#include <string>
#include <vector>

#include "core/directory_opener.h"
#include "core/xattr_reader.h"
#include "pack/attribute_table.h"
#include "pack/walker.h"

namespace shoal {

class WalkThread {
 public:
  WalkThread(Walker* walker, unsigned worker);

  // Does tasks until there are none.
  void Run();

 private:
  Status List(uint32_t number);
  Status ReadNames(uint32_t number, int directory, std::string* names);
  Status LookAtPart(uint32_t number, uint32_t part);
  Status LookAt(int fd, uint32_t number, const Listing& listing, uint32_t child, ListingPart* part, Child* found);
  Status LookAtDirectory(uint32_t number, const Listing& listing, uint32_t child, const struct stat& status,
                         Child* found);
  Status ReadTarget(int fd, const char* name, std::string* targets, Child* found);
  Status ReadHoles(int fd, const char* name, const struct stat& status, std::vector<Extent>* data, bool* holed);
  void DropUnlisted(const Listing& listing, uint32_t number, Child* found);
  Status Unreadable(uint32_t number, uint32_t child, const Status& status);

  Walker& walker_;
  const unsigned worker_;
  DirectoryOpener opener_;
  AttributeCache attributes_;
  XattrReader xattrs_;
  std::vector<char> buffer_;  // for names; empty until it is needed
};

}  // namespace shoal
