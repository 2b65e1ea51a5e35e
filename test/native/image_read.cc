// Reads content through Image::Read, as a mount does: `image_read INDEX [CACHE_BYTES]`, then on stdin lines
// `ENTRY OFFSET SIZE`. Prints for each `GOT CRC32C` of the bytes it got, or `CODE OFFSET PATH: MESSAGE`; the latter
// also where the image does not open. At the end of its input it prints what it counted, as JSON.
#include <cstdlib>
#include <iostream>
#include <vector>

#include "core/crc32c.h"
#include "core/image.h"

namespace {

void Print(const shoal::Status& status) {
  std::cout << CodeName(status.code()) << ' ' << status.offset() << ' ' << status.path() << ": " << status.message()
            << std::endl;
}

void Print(const shoal::ReadCounters& counters) {
  std::cout << "{\"storageReads\":" << counters.storage_reads.Sum()
            << ",\"storageBytes\":" << counters.storage_bytes.Sum() << ",\"cacheHits\":" << counters.cache_hits.Sum()
            << ",\"cacheMisses\":" << counters.cache_misses.Sum() << ",\"retries\":" << counters.retries.Sum()
            << ",\"checksumFailures\":" << counters.checksum_failures.Sum() << "}" << std::endl;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2 && argc != 3) return 2;
  shoal::ReadOptions options;
  if (argc == 3) options.cache = std::make_shared<shoal::VolumeCache>(std::strtoull(argv[2], nullptr, 10));
  std::unique_ptr<shoal::Image> image;
  shoal::Status status = shoal::Image::Open(argv[1], options, &image);
  if (!status.ok()) {
    Print(status);
    return 0;
  }
  std::cout << "open" << std::endl;
  uint32_t number;
  uint64_t offset;
  size_t size;
  while (std::cin >> number >> offset >> size) {
    shoal::Entry entry;
    std::vector<uint8_t> bytes(size, 0xA5);  // of exactly this size, so that a sanitizer sees a byte too many
    size_t got = 0;
    status = image->index().Resolve(number, &entry);
    if (status.ok()) status = image->Read(entry, offset, bytes.data(), size, &got);
    if (status.ok()) {
      std::cout << got << ' ' << shoal::Crc32c(bytes.data(), got) << std::endl;
    } else {
      Print(status);
    }
  }
  Print(image->counters());
  return 0;
}
