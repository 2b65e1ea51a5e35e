#include "pack/volume_order.h"

#include <algorithm>

#include "pack/tar_reader.h"

namespace shoal {

Status ReadHeads(const std::vector<std::string>& paths, std::vector<ArchiveHead>* out) {
  for (uint32_t number = 0; number < paths.size(); number++) {
    ArchiveHead head;
    head.path = number;
    tar::TarReader reader;
    SHOAL_RETURN_IF_ERROR(reader.Open(paths[number]));
    head.size = reader.size();
    tar::Item item;
    tar::Member member;
    // What is damaged is told when all of it is read.
    const bool begins = reader.Next(&item, &member).ok() && item == tar::Item::kComment;
    if (begins) {
      const Status status = head.records.ReadHead(reader.comment());
      if (!status.ok()) return Status(status.code(), status.message()).At(paths[number], 0);
    }
    out->push_back(std::move(head));
  }
  return Status();
}

Status OrderVolumes(const std::vector<std::string>& paths, std::vector<ArchiveHead>* heads) {
  const VolumeRecords& first = heads->front().records;
  for (const ArchiveHead& head : *heads) {
    if (heads->size() > 1 && !head.records.by_shoal()) {
      return Status(Code::kUsage,
                    "expected the volumes of one image, found an archive that Shoal did not write; index it alone")
          .At(paths[head.path]);
    }
    if (head.records.id() != first.id() || head.records.count() != first.count()) {
      return Status(Code::kUsage, "expected a volume of image " + first.id() + ", found one of image " +
                                      head.records.id() + "; name the volumes of one image")
          .At(paths[head.path], 0);
    }
  }
  const std::string expected = "expected all " + std::to_string(first.count()) + " volumes of the image";
  const std::string first_path = paths[heads->front().path];
  std::sort(heads->begin(), heads->end(),
            [](const ArchiveHead& a, const ArchiveHead& b) { return a.records.number() < b.records.number(); });
  for (size_t i = 0; i < heads->size(); i++) {
    const uint64_t number = (*heads)[i].records.number();
    if (number > i) {
      return Status(Code::kMissing,
                    expected + ", found none that is number " + std::to_string(i + 1) + "; name it, too")
          .At(first_path);
    }
    if (number < i) {
      return Status(Code::kUsage, expected + ", found two that are number " + std::to_string(number + 1))
          .At(paths[(*heads)[i].path], 0);
    }
  }
  if (heads->size() == (*heads)[0].records.count()) return Status();
  return Status(Code::kMissing, expected + ", found " + std::to_string(heads->size()) + "; name all of them")
      .At(first_path);
}

}  // namespace shoal
