// Unpacks whole images as the addon does: lines `verify INDEX`, `extract INDEX DIRECTORY` or `compare INDEX DIRECTORY`
// on stdin (no spaces in paths). Prints for each how many problems there were, or the code of what it failed with.
#include <iostream>
#include <memory>
#include <string>

#include "core/image.h"
#include "unpack/compare.h"
#include "unpack/extract.h"
#include "unpack/verify.h"

int main() {
  std::string command;
  std::string index;
  while (std::cin >> command >> index) {
    std::string directory;
    if (command != "verify") std::cin >> directory;
    shoal::Progress progress{};
    size_t problems = 0;
    std::unique_ptr<shoal::Image> image;
    shoal::Status status = shoal::Image::Open(index, &image);
    if (status.ok() && command == "verify") {
      shoal::VerifyOutcome outcome;
      status = Verify(*image, 2, &progress, &outcome);
      problems = outcome.problems.size();
    } else if (status.ok() && command == "compare") {
      shoal::CompareOutcome outcome;
      status = Compare(*image, directory, 2, &progress, &outcome);
      problems = outcome.verified.problems.size() + outcome.differences.size();
    } else if (status.ok()) {
      shoal::ExtractOutcome outcome;
      status = Extract(*image, {}, directory, 2, &progress, &outcome);
      problems = outcome.problems.size();
    }
    if (status.ok()) {
      std::cout << problems << std::endl;
    } else {
      std::cout << CodeName(status.code()) << std::endl;
    }
  }
  return 0;
}
