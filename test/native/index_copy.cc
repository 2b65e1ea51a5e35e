// Holds an index open, and answers questions about it: `index_copy INDEX local|network`, then on stdin one command a
// line, each answered by one:
//   walk THREADS   a checksum over all answers about all entries, or the first error
//   get ENTRY      `ok`, or the error of this entry's name and metadata
//   blocks         `ok`, or the error of holding every block of the file against its checksum
//   bytes          bytes that were brought into the copy in memory of the node through this process
// First it prints `open`, or why not. Errors are `CODE OFFSET PATH: MESSAGE`.
#include <atomic>
#include <iostream>
#include <mutex>
#include <string>
#include <vector>

#include "core/crc32c.h"
#include "core/index_view.h"
#include "core/run_threads.h"

namespace {

using shoal::Entry;
using shoal::IndexView;
using shoal::Status;

void Print(const Status& status) {
  if (status.ok()) {
    std::cout << "ok" << std::endl;
  } else {
    std::cout << CodeName(status.code()) << ' ' << status.offset() << ' ' << status.path() << ": " << status.message()
              << std::endl;
  }
}

// What the index tells of an entry, as one number.
Status Ask(const IndexView& index, uint32_t number, uint32_t* sum) {
  Entry entry;
  std::string_view name;
  std::string path;
  uint32_t parent = 0;
  uint32_t found = 0;
  SHOAL_RETURN_IF_ERROR(index.Resolve(number, &entry));
  SHOAL_RETURN_IF_ERROR(index.Name(number, &name));
  SHOAL_RETURN_IF_ERROR(index.Path(number, &path));
  SHOAL_RETURN_IF_ERROR(index.Parent(number, &parent));
  Entry directory;
  SHOAL_RETURN_IF_ERROR(index.Get(parent, &directory));
  SHOAL_RETURN_IF_ERROR(index.Lookup(directory, name, &found));
  const uint64_t numbers[] = {number, found, parent, entry.mode, entry.size, entry.offset, entry.checksum};
  *sum = shoal::Crc32c(numbers, sizeof numbers, shoal::Crc32c(path.data(), path.size()));
  return Status();
}

void Walk(const IndexView& index, unsigned threads) {
  std::atomic<uint64_t> total{0};
  std::mutex mutex;
  Status first;
  const Status ran = shoal::RunThreads(threads, [&](unsigned) {
    // Each thread asks about all, so that they meet at blocks that nobody touched.
    for (uint32_t number = 0; number < index.entry_count(); number++) {
      uint32_t sum = 0;
      const Status status = Ask(index, number, &sum);
      total += sum;
      if (status.ok()) continue;
      std::lock_guard<std::mutex> lock(mutex);
      if (first.ok()) first = status;
      return;
    }
  });
  if (!ran.ok() || !first.ok()) return Print(ran.ok() ? first : ran);
  std::cout << index.entry_count() << ' ' << total / threads << std::endl;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const bool network = std::string(argv[2]) == "network";
  std::unique_ptr<IndexView> index;
  const Status status =
      IndexView::Open(argv[1], &index, network ? shoal::StorageKind::kNetwork : shoal::StorageKind::kLocal);
  if (!status.ok()) {
    Print(status);
    return 0;
  }
  std::cout << "open" << std::endl;
  for (std::string command; std::cin >> command;) {
    uint32_t number = 0;
    if (command == "walk" && std::cin >> number) {
      Walk(*index, number);
    } else if (command == "get" && std::cin >> number) {
      uint32_t sum;
      Print(Ask(*index, number, &sum));
    } else if (command == "blocks") {
      Print(index->CheckBlocks());
    } else if (command == "bytes") {
      std::cout << index->copied_bytes() << std::endl;
    } else {
      return 2;
    }
  }
  return 0;
}
