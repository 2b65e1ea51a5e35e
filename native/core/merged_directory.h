// A directory that several layers have, shown as one: their children together, of those with the same name the topmost
// layer's. A name is looked for in one part after the other until the directory has been used so much that a table of
// all its names costs no more; from then on one probe finds it. So the first lookup in a directory of a million names
// does not wait, directories that are hardly used take no memory, and what all lookups cost together is at most twice
// the least. Thread-safe; nobody ever waits for another's table.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "child_table.h"
#include "layers.h"
#include "status.h"

namespace shoal {

// What is called `name` in the directories `parts`, topmost first: the first that is found, if that is a directory also
// those below it up to the first that is none. Empty where there is no such name; *entry is the first, resolved.
Status PartsOfChild(const Layers& layers, const std::vector<Part>& parts, std::string_view name, Entry* entry,
                    std::vector<Part>* out);

class MergedDirectory {
 public:
  // `parts`, topmost first, are at least two. `layers` outlive this.
  MergedDirectory(const Layers& layers, std::vector<Part> parts);

  const std::vector<Part>& parts() const { return parts_; }
  const Place& top() const { return parts_.front().place; }

  // *out is the child that is shown under the name, if one is.
  Status Lookup(std::string_view name, Place* out);

  // Children have positions: those of the first part, then those of the next. They stay, and not each shows a child.
  uint64_t positions() const { return starts_.back(); }
  Place At(uint64_t position) const;

  // Whether a layer above that of `child` has its name.
  Status IsHidden(const Place& child, std::string_view name, bool* out);

 private:
  const ChildTable* Table();
  Status Search(std::string_view name, uint32_t below, Place* out);

  const Layers& layers_;
  const std::vector<Part> parts_;
  std::vector<uint64_t> starts_;  // position of each part's first child; one more for the end
  std::atomic<const ChildTable*> table_{nullptr};
  std::unique_ptr<const ChildTable> owned_;  // written once, by who holds building_
  std::atomic<bool> building_{false};
  std::atomic<uint64_t> probes_{0};  // of parts, since the last try at a table
};

}  // namespace shoal
