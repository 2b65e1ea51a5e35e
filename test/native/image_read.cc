// Reads content through Image::Read, as a mount does: `image_read INDEX`, then on stdin lines `ENTRY OFFSET SIZE`.
// Prints for each `GOT CRC32C` of the bytes it got, or `CODE OFFSET PATH: MESSAGE`; the latter also where the image
// does not open.
#include <iostream>
#include <vector>

#include "core/crc32c.h"
#include "core/image.h"

namespace {

void Print(const shoal::Status& status) {
  std::cout << CodeName(status.code()) << ' ' << status.offset() << ' ' << status.path() << ": " << status.message()
            << std::endl;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  std::unique_ptr<shoal::Image> image;
  shoal::Status status = shoal::Image::Open(argv[1], &image);
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
  return 0;
}
