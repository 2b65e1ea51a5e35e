// Opens directories of a chain deeper than there are descriptors: down, up, and here and there. Ends with 1, and says
// why, if one is not the directory that was asked for, or was come to by too many steps.
//   directory_opener_check DIRECTORY   an empty one
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <random>
#include <vector>

#include "core/directory_opener.h"

namespace {

using shoal::DirectoryOpener;
using shoal::Status;
using shoal::UniqueFd;

constexpr uint32_t kDepth = 5000;

void Expect(bool holds, const char* what) {
  if (holds) return;
  std::printf("expected that %s\n", what);
  std::exit(1);
}

// Directory i + 1 is in directory i.
class Chain : public shoal::DirectoryTree {
 public:
  explicit Chain(const char* top) : top_(top), inodes_(kDepth) {
    UniqueFd at(open(top, O_PATH | O_DIRECTORY));
    for (uint32_t i = 0; i < kDepth; i++) {
      if (i > 0) {
        Expect(mkdirat(at.get(), "d", 0700) == 0, "the chain can be made");
        at.reset(openat(at.get(), "d", O_PATH | O_DIRECTORY));
      }
      struct stat status;
      Expect(fstat(at.get(), &status) == 0, "the chain can be looked at");
      inodes_[i] = status.st_ino;
    }
  }

  Status ParentOf(uint32_t directory, uint32_t* parent, std::string* name) const override {
    steps++;
    *parent = directory == 0 ? kTop : directory - 1;
    *name = "d";
    return Status();
  }
  Status OpenTop(uint32_t, UniqueFd* fd) const override {
    fd->reset(open(top_, O_PATH | O_DIRECTORY));
    return Status();
  }

  void Open(DirectoryOpener* opener, uint32_t directory) const {
    int fd = -1;
    struct stat status;
    Expect(opener->Open(directory, &fd).ok() && fstat(fd, &status) == 0, "a directory can be opened");
    Expect(status.st_ino == inodes_[directory], "it is the one that was asked for");
  }

  mutable uint64_t steps = 0;  // each is a system call

 private:
  const char* top_;
  std::vector<ino_t> inodes_;
};

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) return 2;
  const Chain chain(arguments[1]);
  for (const size_t capacity : {size_t{8}, DirectoryOpener::kDefaultCapacity}) {
    DirectoryOpener opener(&chain, capacity);
    std::mt19937 random(1);
    for (int i = 0; i < 50; i++) chain.Open(&opener, random() % kDepth);

    chain.steps = 0;
    for (uint32_t i = 0; i < kDepth; i++) chain.Open(&opener, i);
    Expect(chain.steps < 3 * kDepth, "going down takes a step for each");

    chain.steps = 0;
    for (uint32_t i = kDepth; i-- > 0;) chain.Open(&opener, i);
    Expect(chain.steps < 30 * kDepth, "going up takes few steps for each");

    chain.steps = 0;
    for (uint32_t i = kDepth; i-- > 0;) {
      chain.Open(&opener, i);
      if (i % 100 == 0) chain.Open(&opener, random() % kDepth);
    }
    Expect(chain.steps < 300 * kDepth, "going up takes few steps also with detours");
  }
  for (const size_t capacity : {1, 2, 3}) {
    DirectoryOpener opener(&chain, capacity);
    for (uint32_t i = 100; i-- > 0;) chain.Open(&opener, i);
  }
  return 0;
}
