#include "pack/survey.h"

#include <unordered_map>

namespace shoal {

Survey SurveyOf(const PackCatalogue& catalogue) {
  Survey survey;
  std::unordered_map<uint32_t, uint32_t> further_names;  // how many, of files that have any
  for (uint32_t entry = catalogue.made_up_root ? 1 : 0; entry < catalogue.size(); entry++) {
    if (catalogue.IsAlias(entry)) {
      survey.aliases++;
      further_names[static_cast<uint32_t>(catalogue.offsets[entry])]++;
      continue;
    }
    survey.inodes++;
    switch (catalogue.Row(entry).mode & S_IFMT) {
      case S_IFREG:
        survey.files++;
        break;
      case S_IFDIR:
        survey.directories++;
        break;
      case S_IFLNK:
        survey.symbolic_links++;
        break;
      case S_IFIFO:
        survey.fifos++;
        break;
      default:
        survey.devices++;
    }
  }
  for (uint32_t entry = 0; entry < catalogue.size(); entry++) {
    if (catalogue.IsAlias(entry) || catalogue.IsDirectory(entry)) continue;
    const auto further = further_names.find(entry);
    const uint32_t names = further == further_names.end() ? 1 : 1 + further->second;
    if (catalogue.Row(entry).nlink > names) survey.inodes--;  // others elsewhere keep it
  }
  return survey;
}

}  // namespace shoal
