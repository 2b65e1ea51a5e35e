#include "pack/tar_scanner.h"

#include <algorithm>
#include <optional>

#include "core/crc32c.h"
#include "core/entry_path.h"
#include "core/format.h"
#include "core/tree_builder.h"
#include "pack/apply_checksums.h"
#include "pack/member_builder.h"
#include "pack/tar_reader.h"
#include "pack/volume_frame.h"
#include "pack/volume_order.h"
#include "pack/volume_records.h"

namespace shoal {
namespace {

constexpr uint64_t kMembersPerReport = 1024;

class Scanner {
 public:
  Scanner(Progress* progress, TarScan* out) : progress_(*progress), out_(*out) {}

  Status Run(const std::vector<std::string>& paths) {
    std::vector<ArchiveHead> heads;
    SHOAL_RETURN_IF_ERROR(ReadHeads(paths, &heads));
    SHOAL_RETURN_IF_ERROR(OrderVolumes(paths, &heads));
    for (const ArchiveHead& head : heads) {
      out_.order.push_back(head.path);
      progress_.bytes_total += head.size;
    }
    for (volume_ = 0; volume_ < heads.size(); volume_++) {
      last_ = volume_ + 1 == heads.size();
      SHOAL_RETURN_IF_ERROR(ReadVolume(paths[heads[volume_].path]));
    }
    return Finish();
  }

  Status Run(ArchiveStream* stream) {
    stream_ = stream;
    progress_.bytes_total = stream->length();
    SHOAL_RETURN_IF_ERROR(ReadVolume(stream->shown()));
    // What decompresses it tells only at its end whether all was right.
    uint64_t rest;
    SHOAL_RETURN_IF_ERROR(stream->Skip(UINT64_MAX, &rest));
    return Finish();
  }

 private:
  Status ReadVolume(const std::string& path) {
    path_ = path;
    reader_.emplace();
    records_ = VolumeRecords();
    pieces_offset_ = 0;
    passed_root_ = false;
    SHOAL_RETURN_IF_ERROR(stream_ == nullptr ? reader_->Open(path_) : reader_->OpenStream(stream_));
    SHOAL_RETURN_IF_ERROR(ReadMembers());
    if (reader_->ignored_from() != 0) {
      Skip(path_, "what stands behind a single block of zeros at offset " +
                      std::to_string(reader_->ignored_from() - tar::kBlock) + " was left out, as tar does");
    }
    if (records_.by_shoal()) SHOAL_RETURN_IF_ERROR(FinishVolume());
    bytes_before_ += reader_->size();
    out_.frames.push_back(reader_->frames());
    return Status();
  }

  Status ReadMembers() {
    tar::Member member;
    while (true) {
      tar::Item item;
      const uint64_t start = reader_->offset();
      SHOAL_RETURN_IF_ERROR(reader_->Next(&item, &member));
      if (item == tar::Item::kEnd) return Status();
      if (passed_root_) return Changed("expected the end of the volume behind its last member `./`, found more", start);
      if (records_.pieces().empty()) pieces_offset_ = start;
      if (item == tar::Item::kComment) {
        SHOAL_RETURN_IF_ERROR(ReadComment(start));
        continue;
      }
      const bool is_root = records_.by_shoal() && member.path == kRootPath;
      if (records_.in_tail() && !is_root)
        return Changed("expected the root directory behind the tail of the volume, found another member", start);
      // In all volumes but the last one it is there only for programs that want a member behind the tail.
      passed_root_ = is_root && !last_;
      if (passed_root_) continue;
      Place(&member);
      if (members_++ % kMembersPerReport == 0) SHOAL_RETURN_IF_ERROR(Report());
    }
  }

  Status ReadComment(uint64_t start) {
    const Status status = start == 0            ? records_.ReadHead(reader_->comment())
                          : records_.by_shoal() ? records_.ReadTail(reader_->comment())
                                                : Status();
    if (!status.ok()) return Status(status.code(), status.message()).At(path_, static_cast<int64_t>(start));
    if (stream_ == nullptr || records_.count() == 1) return Status();
    return Status(Code::kUnsupported, "expected a whole archive, found volume " +
                                          std::to_string(records_.number() + 1) + " of " +
                                          std::to_string(records_.count()) +
                                          " of an image; use that image, or extract all of them and pack the tree")
        .At(path_, 0);
  }

  void Place(tar::Member* member) {
    member->entry.volume = static_cast<uint16_t>(volume_);
    for (Extent& extent : member->extents) extent.volume = static_cast<uint32_t>(volume_);
    const char* problem = NormalizeEntryPath(member->path, &normal_path_);
    if (problem == nullptr && member->hard_link) {
      problem = NormalizeEntryPath(member->link_target, &normal_target_);
      const bool is_copy = records_.by_shoal() && member->comment == kCopyComment;
      if (problem == nullptr && is_copy) {
        problem = builder_.AddCopy(normal_path_, normal_target_, member->entry);
      } else if (problem == nullptr && !builder_.Holds(normal_target_)) {
        early_links_.push_back({normal_path_, normal_target_, member->path, member->header_offset});
        return;
      } else if (problem == nullptr) {
        problem = builder_.AddHardLink(normal_path_, normal_target_);
      }
    } else if (problem == nullptr) {
      problem = builder_.Add(normal_path_, member->entry);
    }
    if (problem != nullptr) Skip(member->path, problem, member->header_offset);
  }

  // Hard links whose target came later, which extraction cannot make, but an index can. One may be that of another.
  void PlaceEarlyLinks() {
    for (bool placed = true; placed;) {
      placed = false;
      std::vector<EarlyLink> left;
      for (EarlyLink& link : early_links_) {
        if (!builder_.Holds(link.target)) {
          left.push_back(std::move(link));
          continue;
        }
        placed = true;
        const char* problem = builder_.Holds(link.path) ? "another member came to be there"
                                                        : builder_.AddHardLink(link.path, link.target);
        if (problem != nullptr) Skip(link.member, problem, link.offset);
      }
      early_links_ = std::move(left);
    }
    for (const EarlyLink& link : early_links_) {
      Skip(link.member, "it is a hard link to a path that the archive does not hold", link.offset);
    }
  }

  void Skip(const std::string& path, const char* problem, uint64_t offset) {
    Skip(path, std::string(problem) + " (member at offset " + std::to_string(offset) + ")");
  }

  void Skip(const std::string& path, std::string message) {
    out_.skipped.push_back({Code::kUnsupported, path, std::move(message)});
  }

  Status Report() {
    progress_.entries_done = members_;
    progress_.bytes_done = stream_ == nullptr ? bytes_before_ + reader_->offset() : stream_->position();
    if (progress_.cancel == 0) return Status();
    return Status(Code::kCancelled, "cancelled").At(path_);
  }

  Status Finish() {
    PlaceEarlyLinks();
    std::sort(link_counts_.begin(), link_counts_.end());
    TreeBuilder::Arrivals arrivals;
    const bool by_shoal = !out_.id.empty();
    Status status = builder_.Finish(link_counts_, &out_.catalogue, by_shoal ? &arrivals : nullptr);
    if (!status.ok()) return Status(status.code(), status.message()).At(path_);
    if (out_.order.size() > 1 && out_.catalogue.volumes.empty()) {
      out_.catalogue.volumes.assign(out_.catalogue.size(), 0);
    }
    if (by_shoal) {
      if (stream_ != nullptr) out_.copies = arrivals.copies;
      // Each entry is one member.
      if (members_ != out_.catalogue.size() || !out_.skipped.empty())
        return Changed("expected the members of a volume that Shoal wrote, one for each entry, found others", 0);
      if (stream_ == nullptr) status = ApplyChecksums(checksums_, arrivals, &out_.catalogue);
      if (!status.ok())
        return Status(status.code(), status.message()).At(path_, static_cast<int64_t>(reader_->offset()));
    }
    CountBytes();
    progress_.entries_done = members_;
    progress_.bytes_done = progress_.bytes_total.load();
    return Status();
  }

  Status FinishVolume() {
    if (!reader_->ended_properly()) {
      return Status(Code::kTruncated,
                    "expected two blocks of zeros at the end of the volume, found none; it is incomplete")
          .At(path_, static_cast<int64_t>(reader_->offset()));
    }
    if (!records_.finished()) {
      return Status(Code::kTruncated,
                    "expected an id in the head of the volume, found zeros: packing ended before it was "
                    "complete; pack the tree anew")
          .At(path_, 0);
    }
    out_.id = records_.id();
    checksums_.insert(checksums_.end(), records_.checksums().begin(), records_.checksums().end());
    link_counts_.insert(link_counts_.end(), records_.link_counts().begin(), records_.link_counts().end());
    return stream_ == nullptr ? ReadPieces() : Status();
  }

  // The tail has those of the pieces that were complete before it named them; the others lie at the end and are few.
  Status ReadPieces() {
    const uint64_t whole = pieces_offset_ / format::kPieceLength;
    if (records_.pieces().size() != whole) {
      return Changed("expected the checksums of " + std::to_string(whole) + " pieces in the tail, found " +
                         std::to_string(records_.pieces().size()),
                     pieces_offset_);
    }
    out_.pieces.push_back(records_.pieces());
    std::vector<uint8_t> piece(format::kPieceLength);
    for (uint64_t at = whole * format::kPieceLength; at < reader_->size(); at += piece.size()) {
      const auto size = static_cast<size_t>(std::min<uint64_t>(piece.size(), reader_->size() - at));
      SHOAL_RETURN_IF_ERROR(reader_->Read(at, piece.data(), size));
      out_.pieces.back().push_back(Crc32c(piece.data(), size));
    }
    return Status();
  }

  void CountBytes() {
    const Catalogue& catalogue = out_.catalogue;
    for (size_t entry = 0; entry < catalogue.size(); entry++) {
      const uint32_t row = catalogue.attributes[entry];
      if (row == Catalogue::kAlias) continue;
      if ((catalogue.attribute_rows[row].mode & 0170000) == 0100000) out_.bytes += catalogue.sizes[entry];
    }
  }

  Status Changed(const std::string& message, uint64_t offset) const {
    return Status(Code::kMalformed,
                  message + "; the volume was changed after Shoal wrote it: extract it with tar and pack it anew")
        .At(path_, static_cast<int64_t>(offset));
  }

  struct EarlyLink {
    std::string path;
    std::string target;
    std::string member;  // as the archive has it
    uint64_t offset;
  };

  Progress& progress_;
  TarScan& out_;
  ArchiveStream* stream_ = nullptr;  // where files are not read
  TreeBuilder builder_;
  std::vector<EarlyLink> early_links_;
  std::vector<uint32_t> checksums_;  // of the volumes so far
  Links link_counts_;
  uint64_t members_ = 0;
  uint64_t bytes_before_ = 0;  // of volumes read

  // Of the volume that is read.
  std::string path_;
  size_t volume_ = 0;
  bool last_ = true;
  std::optional<tar::TarReader> reader_;
  VolumeRecords records_;
  bool passed_root_ = false;
  uint64_t pieces_offset_ = 0;  // where the headers with checksums of pieces begin; without any the root's member
  std::string normal_path_;
  std::string normal_target_;
};

}  // namespace

Status ScanTar(const std::vector<std::string>& paths, Progress* progress, TarScan* out) {
  *out = TarScan();
  return Scanner(progress, out).Run(paths);
}

Status ScanTarStream(ArchiveStream* stream, Progress* progress, TarScan* out) {
  *out = TarScan();
  return Scanner(progress, out).Run(stream);
}

}  // namespace shoal
