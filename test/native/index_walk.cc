// Asks the C++ reader everything that it can answer about an index.
//   index_walk FILE...                                   one line each: `ok ENTRIES`, or the code of the first error
//   index_walk -                                         the same for the files named on stdin, one a line
//   index_walk --flips FILE SEED COUNT [--fix-checksums] walks COUNT damaged copies, prints how often each code came;
//                                                        with --fix-checksums the damage is under valid checksums
// Ends with 0 whatever it finds; only a crash, or a sanitizer, ends it otherwise.
#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <map>
#include <random>

#include "core/bytes.h"
#include "core/crc32c.h"
#include "core/file.h"
#include "core/index_view.h"

namespace {

using shoal::Code;
using shoal::Entry;
using shoal::IndexView;
using shoal::Status;

// So that a walk through an index that is damaged everywhere ends soon.
constexpr uint64_t kMaxErrors = 1000;

class Walk {
 public:
  explicit Walk(const std::string& path) {
    std::unique_ptr<IndexView> view;
    Note(IndexView::Open(path, &view));
    if (view == nullptr) return;
    view_ = view.get();
    entries_ = view->entry_count();
    std::vector<shoal::VolumeInfo> volumes;
    Note(view->Volumes(&volumes));
    for (const shoal::VolumeInfo& volume : volumes) VisitFrames(volume);
    for (uint32_t number = 0; number < entries_ && errors_ < kMaxErrors; number++) Visit(number, volumes);
    Entry beyond;
    if (view->Get(entries_, &beyond).ok()) Note(Status(Code::kInternal, "an entry behind the last one"));
    view_ = nullptr;
  }

  std::string Result() const { return errors_ == 0 ? "ok " + std::to_string(entries_) : CodeName(first_.code()); }
  const Status& first() const { return first_; }

 private:
  bool Note(const Status& status) {
    if (status.ok()) return true;
    if (errors_++ == 0) first_ = status;
    return false;
  }

  void VisitFrames(const shoal::VolumeInfo& volume) {
    if (volume.frame_length == 0) return;
    for (uint64_t frame = 0; frame * volume.frame_length < volume.plain_length && errors_ < kMaxErrors; frame++) {
      shoal::FramePlace place;
      if (!Note(view_->Frame(volume, frame, &place))) continue;
      if (place.offset + place.size > volume.length) Note(Status(Code::kInternal, "a frame behind its volume"));
    }
  }

  void Visit(uint32_t number, const std::vector<shoal::VolumeInfo>& volumes) {
    std::string_view name;
    uint32_t parent = 0;
    std::string path;
    Entry entry;
    if (Note(view_->Name(number, &name)) && Note(view_->Parent(number, &parent)) && number != 0) {
      VisitName(parent, name);
    }
    Note(view_->Path(number, &path));
    if (!Note(view_->Resolve(number, &entry))) return;
    std::vector<shoal::Xattr> xattrs;
    Note(view_->Xattrs(entry.xattrs, &xattrs));
    for (const shoal::Xattr& xattr : xattrs) Touch(xattr.name), Touch(xattr.value);
    if (entry.IsDirectory()) {
      shoal::Totals totals;
      Note(view_->DirectoryTotals(entry, &totals));
    } else if (entry.IsSymlink()) {
      std::string_view target;
      if (Note(view_->LinkTarget(entry, &target))) Touch(target);
    } else if (entry.IsFile()) {
      VisitFile(entry, volumes);
    }
  }

  void VisitName(uint32_t parent, std::string_view name) {
    Entry directory;
    uint32_t found;
    if (!Note(view_->Get(parent, &directory))) return;
    // Two entries of one name, or an entry that the hash lacks, are no errors of the reader.
    Note(view_->Lookup(directory, name, &found));
    const std::string absent = std::string(name) + "~";
    if (Note(view_->Lookup(directory, absent, &found)) && found != IndexView::kNone) Touch(absent);
    Note(view_->Lookup(directory, "..", &found));
    Note(view_->Lookup(directory, "", &found));
    Note(view_->Lookup(directory, std::string(256, 'x'), &found));
  }

  void VisitFile(const Entry& entry, const std::vector<shoal::VolumeInfo>& volumes) {
    std::vector<shoal::Extent> extents;
    if (!Note(view_->Extents(entry, &extents)) || extents.empty()) return;
    uint64_t stored = 0;
    for (const shoal::Extent& extent : extents) stored += extent.length;
    const bool has_checksums = extents[0].volume < volumes.size() &&
                               (volumes[extents[0].volume].flags & shoal::format::kVolumeHasChecksums) != 0;
    if (!has_checksums || stored <= shoal::format::kChunkLength) return;
    for (uint64_t at = 0, row = entry.checksum; at < stored; at += shoal::format::kChunkLength, row++) {
      uint32_t checksum;
      if (!Note(view_->ChunkChecksum(row, &checksum))) return;
    }
  }

  // Reads every byte, so that a sanitizer sees it.
  void Touch(std::string_view bytes) {
    for (char byte : bytes) sum_ = sum_ + static_cast<unsigned char>(byte);
  }

  const IndexView* view_ = nullptr;
  uint32_t entries_ = 0;
  uint64_t errors_ = 0;
  volatile uint64_t sum_ = 0;
  Status first_;
};

using Image = std::vector<uint8_t>;

// The checksums that cover the byte at `offset`, made right again, as far as the places that they stand in are within
// the file.
void FixChecksums(Image* image, const Image& intact, size_t offset) {
  constexpr size_t kHeader = shoal::format::kHeaderLength;
  uint8_t* bytes = image->data();
  const auto table = shoal::Load<uint64_t>(intact.data() + 64 + 8);  // of the first section, blocks
  if (offset >= kHeader && offset < table) {
    const size_t block = (offset - kHeader) / shoal::format::kBlockSize;
    const size_t start = kHeader + block * shoal::format::kBlockSize;
    const size_t length = std::min<size_t>(shoal::format::kBlockSize, table - start);
    shoal::Store<uint32_t>(bytes + table + block * 4, shoal::Crc32c(bytes + start, length));
  }
  if (offset >= kHeader) shoal::Store<uint32_t>(bytes + 56, shoal::Crc32c(bytes + table, image->size() - table));
  shoal::Store<uint32_t>(bytes + 60, 0);
  shoal::Store<uint32_t>(bytes + 60, shoal::Crc32c(bytes, kHeader));
}

void Flips(const std::string& path, uint64_t seed, uint64_t count, bool fix_checksums) {
  shoal::UniqueFd fd;
  uint64_t length = 0;
  Status status = shoal::OpenRegular(path, Code::kNotImage, &fd, &length);
  Image intact(length);
  if (status.ok()) status = shoal::ReadExact(fd.get(), path, 0, intact.data(), length);
  if (!status.ok() || length <= shoal::format::kHeaderLength) {
    std::printf("cannot read %s\n", path.c_str());
    return;
  }
  shoal::UniqueFd copy(memfd_create("index_walk", MFD_CLOEXEC));
  const std::string copy_path = "/proc/self/fd/" + std::to_string(copy.get());
  std::mt19937_64 random(seed);
  std::map<std::string, uint64_t> results;
  for (uint64_t trial = 0; trial < count; trial++) {
    Image damaged = intact;
    size_t offset = random() % length;
    if (trial % 4 == 0) {
      // A word of the kind that arithmetic goes wrong with.
      constexpr uint32_t kWords[] = {0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF};
      offset = std::min<size_t>(offset & ~size_t{3}, length - 4);
      shoal::Store<uint32_t>(damaged.data() + offset, kWords[random() % 6]);
    } else {
      damaged[offset] = static_cast<uint8_t>(damaged[offset] ^ (1 + random() % 255));
    }
    if (fix_checksums) FixChecksums(&damaged, intact, offset);
    if (!shoal::WriteExact(copy.get(), copy_path, 0, damaged.data(), length).ok()) break;
    const Walk walk(copy_path);
    results[walk.Result()]++;
    if (std::getenv("INDEX_WALK_VERBOSE") != nullptr && !walk.first().ok()) {
      std::fprintf(stderr, "%zu: %s: %s at %lld\n", offset, CodeName(walk.first().code()),
                   walk.first().message().c_str(), static_cast<long long>(walk.first().offset()));
    }
  }
  for (const auto& [result, times] : results) {
    std::printf("%s: %llu\n", result.c_str(), static_cast<unsigned long long>(times));
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  if (arguments.size() >= 4 && arguments[0] == "--flips") {
    const bool fix_checksums = arguments.size() > 4 && arguments[4] == "--fix-checksums";
    Flips(arguments[1], std::strtoull(argv[3], nullptr, 10), std::strtoull(argv[4], nullptr, 10), fix_checksums);
  } else if (arguments.size() == 1 && arguments[0] == "-") {
    for (std::string path; std::getline(std::cin, path);) std::cout << Walk(path).Result() << std::endl;
  } else {
    for (const std::string& path : arguments) std::cout << Walk(path).Result() << std::endl;
  }
  return 0;
}
