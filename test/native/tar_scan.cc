// Scans tars outside of Node, so that sanitizers see it; mutated ones too.
//   tar_scan FILE                       prints the catalogue, one entry a line, or the error; exit code 0 or 1
//   tar_scan --time FILE                prints entries, seconds and the peak of memory
//   tar_scan --flips FILE SEED COUNT    scans COUNT copies, each with one to four bytes changed; half of them with
//   header checksums made good again tar_scan --cuts FILE                scans the file cut at each block, and one byte
//   before and behind
// The last two print how often each code was the answer; a catalogue that contradicts itself, points outside of the
// file, or that the same bytes as a stream do not give, ends them with 2.
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <random>

#include "core/file.h"
#include "pack/archive_catalogue.h"
#include "pack/tar_fields.h"
#include "pack/tar_scanner.h"

namespace {

using shoal::Catalogue;
using shoal::Code;
using shoal::Status;
using shoal::TarScan;

bool IsAlias(const Catalogue& catalogue, size_t entry) { return catalogue.attributes[entry] == Catalogue::kAlias; }

uint32_t TypeOf(const Catalogue& catalogue, size_t entry) {
  return catalogue.attribute_rows[catalogue.attributes[entry]].mode >> 12;
}

const char* CheckDirectory(const Catalogue& catalogue, size_t directory, size_t first) {
  if (catalogue.offsets[directory] != first) return "children are not contiguous";
  if (catalogue.counts[directory] > catalogue.size() - first) return "children reach beyond the last entry";
  for (size_t child = first; child < first + catalogue.counts[directory]; child++) {
    const auto entry = static_cast<uint32_t>(child);
    if (catalogue.parents[child] != directory) return "a child has another parent";
    if (catalogue.name(entry).empty()) return "a name is empty";
    if (child > first && !(catalogue.name(entry - 1) < catalogue.name(entry))) return "children are not in order";
  }
  return nullptr;
}

// Of what a tar is read from: the file, or what its frames decompress to.
uint64_t PlainLength(const TarScan& scan, uint64_t file_size) {
  return scan.frames[0].offsets.empty() ? file_size : scan.frames[0].plain_length;
}

// nullptr, or what contradicts FORMAT §4.2.
const char* FindContradiction(const Catalogue& catalogue, uint64_t file_size) {
  size_t next_child = 1;
  auto list = catalogue.extent_lists.begin();
  for (size_t entry = 0; entry < catalogue.size(); entry++) {
    if (IsAlias(catalogue, entry)) {
      const uint64_t target = catalogue.offsets[entry];
      if (target >= entry || IsAlias(catalogue, target) || TypeOf(catalogue, target) == 4) return "an alias of no file";
      continue;
    }
    if (catalogue.attributes[entry] >= catalogue.attribute_rows.size()) return "attributes beyond the rows";
    const uint64_t size = catalogue.sizes[entry];
    const uint64_t offset = catalogue.offsets[entry];
    if (TypeOf(catalogue, entry) == 4) {
      if (const char* wrong = CheckDirectory(catalogue, entry, next_child)) return wrong;
      next_child += catalogue.counts[entry];
    } else if (list != catalogue.extent_lists.end() && list->entry == entry) {
      uint64_t end = 0;
      for (const shoal::Extent& extent : list->extents) {
        if (extent.file_offset < end || extent.length == 0) return "extents are not in order";
        end = extent.file_offset + extent.length;
        if (end > list->size || extent.offset > file_size || extent.length > file_size - extent.offset) {
          return "an extent points outside";
        }
      }
      ++list;
    } else if (TypeOf(catalogue, entry) == 8) {
      if (offset > file_size || size > file_size - offset) return "a file points outside";
    } else if (TypeOf(catalogue, entry) == 10) {
      if (offset + size > catalogue.link_targets.size()) return "a link target points outside";
    }
  }
  return next_child == catalogue.size() ? nullptr : "entries without a parent";
}

void PrintEscaped(std::string_view bytes) {
  for (unsigned char byte : bytes) {
    if (byte > 32 && byte < 127 && byte != '\\') {
      std::putchar(byte);
    } else {
      std::printf("\\x%02X", byte);
    }
  }
}

void Print(const Catalogue& catalogue) {
  auto list = catalogue.extent_lists.begin();
  for (size_t entry = 0; entry < catalogue.size(); entry++) {
    std::printf("%zu /", entry);
    PrintEscaped(catalogue.Path(static_cast<uint32_t>(entry)));
    if (IsAlias(catalogue, entry)) {
      std::printf(" alias %" PRIu64 "\n", catalogue.offsets[entry]);
      continue;
    }
    const shoal::AttributesRow& row = catalogue.attribute_rows[catalogue.attributes[entry]];
    std::printf(" mode %o uid %u gid %u nlink %u mtime %" PRId64 ".%09u size %" PRIu64 " offset %" PRIu64
                " count %u checksum %08X",
                row.mode, row.uid, row.gid, row.nlink, catalogue.seconds[entry], catalogue.nanoseconds[entry],
                catalogue.sizes[entry], catalogue.offsets[entry], catalogue.counts[entry], catalogue.checksums[entry]);
    if (row.xattrs != shoal::format::kNoXattrs) std::printf(" xattrs %u", row.xattrs);
    if (TypeOf(catalogue, entry) == 10) {
      std::printf(" -> ");
      PrintEscaped(std::string_view(catalogue.link_targets).substr(catalogue.offsets[entry], catalogue.sizes[entry]));
    }
    if (list != catalogue.extent_lists.end() && list->entry == entry) {
      for (const shoal::Extent& extent : list->extents) {
        std::printf(" [%" PRIu64 "+%" PRIu64 " at %" PRIu64 "]", extent.file_offset, extent.length, extent.offset);
      }
      ++list;
    }
    std::putchar('\n');
  }
}

void PrintError(const Status& status) {
  std::printf("%s at %" PRId64 ": ", shoal::CodeName(status.code()), status.offset());
  PrintEscaped(status.message());
  std::putchar('\n');
}

Status Scan(const std::string& path, TarScan* scan) {
  shoal::Progress progress{};
  return shoal::ScanTar({path}, &progress, scan);
}

// nullptr, or what is wrong with what the file gives as a stream; `expected` is what it gave as a file.
const char* FindStreamContradiction(const std::string& path, const Status& status, const TarScan& expected,
                                    uint64_t file_size) {
  std::unique_ptr<shoal::ArchiveStream> stream;
  if (!shoal::ArchiveStream::Open({path, path, {}}, &stream).ok()) return "the stream cannot be opened";
  shoal::Progress progress{};
  TarScan scan;
  const bool is_good = shoal::ScanTarStream(stream.get(), &progress, &scan).ok();
  // Frames are decompressed by somebody else.
  const bool is_tar = status.ok() && expected.frames[0].offsets.empty();
  if (is_tar && (!is_good || scan.catalogue.size() != expected.catalogue.size()))
    return "the stream gives another tree";
  if (!is_good) return nullptr;
  const char* wrong = FindContradiction(scan.catalogue, file_size);
  if (wrong != nullptr) return wrong;
  shoal::ArchiveCatalogue catalogue;
  if (!shoal::TakeScan(std::move(scan), &catalogue).ok()) return nullptr;
  uint64_t end = 0;
  for (const auto& segment : catalogue.segments) {
    if (segment.length == 0) continue;
    if (segment.stream_offset < end || segment.stream_offset + segment.length > file_size) return "segments overlap";
    end = segment.stream_offset + segment.length;
  }
  return nullptr;
}

int PrintScan(const std::string& path) {
  TarScan scan;
  const Status status = Scan(path, &scan);
  if (!status.ok()) {
    PrintError(status);
    return 1;
  }
  Print(scan.catalogue);
  for (const shoal::Problem& problem : scan.skipped) {
    std::printf("skipped ");
    PrintEscaped(problem.path);
    std::printf(": %s\n", problem.message.c_str());
  }
  return 0;
}

int TimeScan(const std::string& path) {
  TarScan scan;
  const auto start = std::chrono::steady_clock::now();
  const Status status = Scan(path, &scan);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  if (!status.ok()) {
    PrintError(status);
    return 1;
  }
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  std::printf("%zu entries in %.3f s, %.0f a second; peak of memory %ld KiB\n", scan.catalogue.size(), seconds.count(),
              static_cast<double>(scan.catalogue.size()) / seconds.count(), usage.ru_maxrss);
  return 0;
}

// A file in memory whose bytes change between scans.
class Mutant {
 public:
  explicit Mutant(const std::string& path) {
    std::ifstream from(path, std::ios::binary);
    bytes_.assign(std::istreambuf_iterator<char>(from), std::istreambuf_iterator<char>());
    fd_.reset(memfd_create("mutant", MFD_CLOEXEC));
  }

  const std::string& original() const { return bytes_; }

  // False where the catalogue is wrong.
  bool Scan(const std::string& bytes) {
    if (ftruncate(fd_.get(), static_cast<off_t>(bytes.size())) != 0) std::abort();
    if (!shoal::WriteExact(fd_.get(), "mutant", 0, bytes.data(), bytes.size()).ok()) std::abort();
    TarScan scan;
    const std::string path = "/proc/self/fd/" + std::to_string(fd_.get());
    const Status status = ::Scan(path, &scan);
    answers_[shoal::CodeName(status.code())]++;
    const char* wrong = status.ok() ? FindContradiction(scan.catalogue, PlainLength(scan, bytes.size())) : nullptr;
    if (wrong == nullptr) wrong = FindStreamContradiction(path, status, scan, bytes.size());
    if (wrong != nullptr) std::printf("contradiction: %s\n", wrong);
    return wrong == nullptr;
  }

  void PrintAnswers() const {
    for (const auto& [code, count] : answers_) std::printf("%s %d\n", code.c_str(), count);
  }

 private:
  std::string bytes_;
  shoal::UniqueFd fd_;
  std::map<std::string, int> answers_;
};

void MakeChecksumGood(std::string* bytes, size_t block) {
  auto* header = reinterpret_cast<uint8_t*>(&(*bytes)[block]);
  char text[8];
  std::snprintf(text, sizeof text, "%06o", shoal::tar::ComputeChecksum(header));
  std::memcpy(header + shoal::tar::kChecksum.offset, text, 7);
}

int ScanFlips(const std::string& path, uint32_t seed, int count) {
  Mutant mutant(path);
  const std::string& original = mutant.original();
  if (original.size() < shoal::tar::kBlock) return 2;
  std::mt19937 random(seed);
  const size_t blocks = original.size() / shoal::tar::kBlock;
  for (int i = 0; i < count; i++) {
    std::string bytes = original;
    for (uint32_t flips = 1 + random() % 4; flips > 0; flips--) {
      const size_t block = random() % blocks * shoal::tar::kBlock;
      const bool is_header = shoal::tar::ChecksumMatches(reinterpret_cast<const uint8_t*>(&bytes[block]));
      bytes[block + random() % shoal::tar::kBlock] = static_cast<char>(random());
      if (is_header && random() % 2 == 0) MakeChecksumGood(&bytes, block);
    }
    if (!mutant.Scan(bytes)) {
      std::printf("seed %u, copy %d\n", seed, i);
      return 2;
    }
  }
  mutant.PrintAnswers();
  return 0;
}

int ScanCuts(const std::string& path) {
  Mutant mutant(path);
  const std::string& original = mutant.original();
  for (size_t block = 0; block <= original.size(); block += shoal::tar::kBlock) {
    for (size_t length : {block - 1, block, block + 1}) {
      if (length <= original.size() && !mutant.Scan(original.substr(0, length))) return 2;
    }
  }
  mutant.PrintAnswers();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string mode = argc > 1 ? argv[1] : "";
  if (argc == 2) return PrintScan(argv[1]);
  if (argc == 3 && mode == "--time") return TimeScan(argv[2]);
  if (argc == 3 && mode == "--cuts") return ScanCuts(argv[2]);
  if (argc == 5 && mode == "--flips") {
    return ScanFlips(argv[2], static_cast<uint32_t>(std::strtoul(argv[3], nullptr, 10)), std::atoi(argv[4]));
  }
  std::fprintf(stderr, "usage: tar_scan [--time | --cuts] FILE | --flips FILE SEED COUNT\n");
  return 64;
}
