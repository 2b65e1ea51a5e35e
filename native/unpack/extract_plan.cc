#include "unpack/extract_plan.h"

#include <algorithm>
#include <numeric>
#include <string_view>

namespace shoal {
namespace {

// kNone where there is no such entry.
Status FindPath(const IndexView& index, std::string_view path, std::vector<uint32_t>* parents, uint32_t* out) {
  *out = 0;
  while (!path.empty()) {
    const size_t slash = std::min(path.find('/'), path.size());
    const std::string_view name = path.substr(0, slash);
    path.remove_prefix(std::min(slash + 1, path.size()));
    if (name.empty() || name == ".") continue;
    Entry directory;
    SHOAL_RETURN_IF_ERROR(index.Get(*out, &directory));
    parents->push_back(*out);
    *out = IndexView::kNone;
    if (!directory.IsDirectory()) return Status();
    SHOAL_RETURN_IF_ERROR(index.Lookup(directory, name, out));
    if (*out == IndexView::kNone) return Status();
  }
  return Status();
}

void SortUnique(std::vector<uint32_t>* numbers) {
  std::sort(numbers->begin(), numbers->end());
  numbers->erase(std::unique(numbers->begin(), numbers->end()), numbers->end());
}

// Adds everything below the directories among `entries`, each once whatever the index says.
Status AddDescendants(const IndexView& index, ProblemList* problems, std::vector<uint32_t>* entries) {
  std::vector<bool> seen(index.entry_count());
  for (uint32_t number : *entries) seen[number] = true;
  for (size_t i = 0; i < entries->size(); i++) {
    Entry entry;
    const Status status = index.Get((*entries)[i], &entry);
    if (!status.ok()) {
      problems->Add((*entries)[i], status);
      continue;
    }
    for (uint32_t child = entry.first_child; child - entry.first_child < entry.child_count; child++) {
      if (!seen[child]) entries->push_back(child);
      seen[child] = true;
    }
  }
  return Status();
}

Status Select(const IndexView& index, const std::vector<std::string>& paths, ProblemList* problems,
              std::vector<uint32_t>* selected, std::vector<uint32_t>* parents) {
  if (paths.empty()) {
    selected->resize(index.entry_count());
    std::iota(selected->begin(), selected->end(), 0);
    return Status();
  }
  for (const std::string& path : paths) {
    std::vector<uint32_t> above;
    uint32_t number;
    SHOAL_RETURN_IF_ERROR(FindPath(index, path, &above, &number));
    if (number == IndexView::kNone) {
      problems->AddAt(0, path, Code::kMissing, "the image has no entry of this path");
      continue;
    }
    selected->push_back(number);
    parents->insert(parents->end(), above.begin(), above.end());
  }
  SortUnique(selected);
  SHOAL_RETURN_IF_ERROR(AddDescendants(index, problems, selected));
  SortUnique(selected);
  SortUnique(parents);
  parents->erase(
      std::remove_if(parents->begin(), parents->end(),
                     [&](uint32_t number) { return std::binary_search(selected->begin(), selected->end(), number); }),
      parents->end());
  return Status();
}

}  // namespace

Status MakeExtractPlan(const IndexView& index, const std::vector<std::string>& paths, ProblemList* problems,
                       ExtractPlan* out) {
  std::vector<uint32_t> selected;
  std::vector<uint32_t> parents;
  SHOAL_RETURN_IF_ERROR(Select(index, paths, problems, &selected, &parents));
  for (uint32_t number : parents) out->directories.push_back({number, false});
  const bool all = paths.empty();
  for (uint32_t number : selected) {
    Entry entry;
    Status status = index.Get(number, &entry);
    const bool is_alias = status.ok() && entry.alias;
    if (is_alias) {
      const uint32_t target = entry.target;
      const bool place_known =
          all || std::binary_search(selected.begin(), selected.end(), target) || out->places.count(target) != 0;
      if (place_known) {
        out->links.push_back({number, out->PlaceOf(target)});
        continue;
      }
      out->places[target] = number;
      status = index.Resolve(number, &entry);
    }
    if (!status.ok()) {
      problems->Add(number, status);
    } else if (entry.IsDirectory()) {
      out->directories.push_back({number, true});
    } else if (entry.IsFile()) {
      out->files.push_back(entry.number);
      out->bytes += entry.size;
    } else {
      out->nodes.push_back({number, entry.number});
    }
  }
  std::sort(out->directories.begin(), out->directories.end(),
            [](const ExtractPlan::Directory& a, const ExtractPlan::Directory& b) { return a.entry < b.entry; });
  out->entries = selected.size();
  return Status();
}

}  // namespace shoal
