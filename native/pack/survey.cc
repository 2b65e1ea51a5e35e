#include "pack/survey.h"

namespace shoal {

Survey SurveyOf(const PackCatalogue& catalogue) {
  Survey survey;
  for (uint32_t entry = catalogue.made_up_root ? 1 : 0; entry < catalogue.size(); entry++) {
    if (catalogue.IsAlias(entry)) {
      survey.aliases++;
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
  for (const auto& [entry, links] : catalogue.plan.links) {
    // A count below that of the names seen is a filesystem's that does not count.
    if (!catalogue.IsDirectory(entry) && links > 1) survey.inodes--;
  }
  return survey;
}

}  // namespace shoal
