#include "pack/archive_writer.h"

#include <algorithm>
#include <cstring>
#include <set>

#include "core/format.h"
#include "pack/compress_volumes.h"
#include "pack/member_builder.h"
#include "pack/stored_content.h"
#include "pack/tar_header.h"
#include "pack/volume_set.h"
#include "pack/volume_tail.h"

namespace shoal {
namespace {

// Stored bytes of a file that are in memory at once: whole chunks.
constexpr uint64_t kPiece = 1 << 20;
static_assert(kPiece % format::kChunkLength == 0, "a piece begins with a chunk");

constexpr size_t kOpenVolumes = 64;

class ArchiveWriter {
 public:
  ArchiveWriter(ArchiveCatalogue* catalogue, ArchiveStream* stream, const std::vector<std::string>& paths,
                Progress* progress)
      : catalogue_(*catalogue),
        stream_(*stream),
        progress_(*progress),
        volumes_(catalogue, paths, 0, [] { return false; }),
        builder_(catalogue) {}

  Status Run() {
    progress_.entries_total = catalogue_.size();
    SHOAL_RETURN_IF_ERROR(WriteHeaders());
    while (next_ < catalogue_.segments.size()) SHOAL_RETURN_IF_ERROR(WriteFile(catalogue_.segments[next_].entry));
    // What decompresses it holds the content against its own checksums only at its end.
    uint64_t rest;
    SHOAL_RETURN_IF_ERROR(stream_.Skip(UINT64_MAX, &rest));
    catalogue_.has_checksums = true;
    FillCopies(&catalogue_);
    for (size_t volume = 0; volume < catalogue_.plan.volumes.size(); volume++) {
      SHOAL_RETURN_IF_ERROR(WriteVolumeTail(catalogue_, volume, &volumes_));
      volumes_.Close(volume);
    }
    progress_.entries_done = catalogue_.size();
    return Status();
  }

 private:
  // A file to which content is written, and where the next of it goes.
  struct Target {
    uint32_t entry;
    uint16_t volume;
    uint64_t offset;
  };

  // Writes all members without stored bytes, and finds the places of the others.
  Status WriteHeaders() {
    std::string run;  // of headers without a gap
    for (const PlanStep& step : catalogue_.plan.steps) {
      if (step.kind == PlanStep::Kind::kStored) continue;
      const bool is_directory_step = step.kind == PlanStep::Kind::kDirectories;
      uint64_t offset = step.offset;
      for (uint32_t number = step.first; number < step.first + step.count; number++) {
        const uint32_t entry =
            is_directory_step ? catalogue_.plan.directories[number] : catalogue_.plan.EntryOf(number);
        if (catalogue_.IsDirectory(entry) != is_directory_step) continue;
        const size_t before = run.size();
        builder_.Append(entry, &run);
        if (!catalogue_.HasData(entry)) continue;
        SetPlace(&catalogue_, entry, step.volume, offset + run.size());
        const uint64_t stored = StoredBytes(catalogue_, entry);
        if (stored == 0) continue;
        const uint64_t behind = offset + run.size() + Padded(stored);
        run.resize(before);
        SHOAL_RETURN_IF_ERROR(Write(step.volume, offset, run));
        offset = behind;
        run.clear();
      }
      SHOAL_RETURN_IF_ERROR(Write(step.volume, offset, run));
      run.clear();
    }
    return Status();
  }

  // Writes the file to which the next segment belongs, a member with its headers, and others with the same content.
  Status WriteFile(uint32_t entry) {
    FindTargets(entry);
    const uint64_t stored = StoredBytes(catalogue_, entry);
    const ExtentList* list = FindExtents(catalogue_, entry);
    const Extent whole{0, stored, 0, 0};
    const Extent* extent = list == nullptr ? &whole : list->extents.data();
    uint64_t in_extent = 0;
    for (uint64_t done = 0; done < stored;) {
      content_.resize(static_cast<size_t>(std::min(kPiece, stored - done)));
      for (size_t filled = 0; filled < content_.size();) {
        const auto part = static_cast<size_t>(std::min<uint64_t>(content_.size() - filled, extent->length - in_extent));
        SHOAL_RETURN_IF_ERROR(Fill(entry, extent->file_offset + in_extent, &content_[filled], part));
        filled += part;
        in_extent += part;
        if (in_extent < extent->length) continue;
        extent++;
        in_extent = 0;
      }
      for (Target& target : targets_) SHOAL_RETURN_IF_ERROR(WritePiece(&target, stored, done));
      done += content_.size();
      if (progress_.cancel != 0) return Status(Code::kCancelled, "cancelled while the volumes were written");
    }
    progress_.entries_done.fetch_add(targets_.size(), std::memory_order_relaxed);
    return Status();
  }

  void FindTargets(uint32_t entry) {
    targets_.clear();
    AddTarget(entry);
    const auto& same = catalogue_.same_content;
    auto pair = std::lower_bound(same.begin(), same.end(), std::make_pair(entry, 0U));
    for (; pair != same.end() && pair->first == entry; ++pair) {
      if (catalogue_.HasData(pair->second)) AddTarget(pair->second);
    }
  }

  void AddTarget(uint32_t entry) {
    if (const ExtentList* list = FindExtents(catalogue_, entry)) {
      const Extent& first = list->extents.front();
      targets_.push_back({entry, static_cast<uint16_t>(first.volume), first.offset});
    } else {
      const uint16_t volume = catalogue_.volumes.empty() ? uint16_t{0} : catalogue_.volumes[entry];
      targets_.push_back({entry, volume, catalogue_.offsets[entry]});
    }
  }

  // Writes content_, which are the file's stored bytes from `done` on; with its headers, and to the end of a block.
  Status WritePiece(Target* target, uint64_t stored, uint64_t done) {
    SetChecksums(&catalogue_, target->entry, stored, done, content_.data(), content_.size());
    member_.clear();
    if (done == 0) target->offset -= builder_.Append(target->entry, &member_);
    member_.append(content_);
    if (done + content_.size() == stored) member_.append(Padded(stored) - stored, '\0');
    SHOAL_RETURN_IF_ERROR(Write(target->volume, target->offset, member_));
    target->offset += member_.size();
    progress_.bytes_done.fetch_add(content_.size(), std::memory_order_relaxed);
    return Status();
  }

  // `size` bytes of the file's content at `at`.
  Status Fill(uint32_t entry, uint64_t at, char* to, size_t size) {
    std::memset(to, 0, size);
    for (; next_ < catalogue_.segments.size(); next_++) {
      const ArchiveCatalogue::Segment& segment = catalogue_.segments[next_];
      if (segment.entry != entry || segment.file_offset >= at + size) break;
      const uint64_t from = std::max(at, segment.file_offset);
      const uint64_t end = std::min(at + size, segment.file_offset + segment.length);
      if (from < end) {
        SHOAL_RETURN_IF_ERROR(ReadStream(segment.stream_offset + (from - segment.file_offset), to + (from - at),
                                         static_cast<size_t>(end - from)));
      }
      if (end < segment.file_offset + segment.length) break;
    }
    return Status();
  }

  Status ReadStream(uint64_t offset, char* to, size_t size) {
    uint64_t skipped = 0;
    if (offset > at_) SHOAL_RETURN_IF_ERROR(stream_.Skip(offset - at_, &skipped));
    size_t got = 0;
    if (at_ + skipped == offset) SHOAL_RETURN_IF_ERROR(stream_.Read(to, size, &got));
    at_ += skipped + got;
    if (got == size) return Status();
    return Status(Code::kChanged,
                  "expected " + std::to_string(size) + " bytes at " + std::to_string(offset) +
                      " of the archive's content as before, found its end; pack it when nothing writes to it")
        .At(stream_.shown());
  }

  // Content comes in the archive's order, which may go to and fro between volumes.
  Status Write(size_t volume, uint64_t offset, const std::string& text) {
    if (text.empty()) return Status();
    if (open_.count(volume) == 0) {
      if (open_.size() == kOpenVolumes) {
        for (size_t other : open_) volumes_.Close(other);
        open_.clear();
      }
      open_.insert(volume);
    }
    return volumes_.Write(volume, offset, text.data(), text.size());
  }

  ArchiveCatalogue& catalogue_;
  ArchiveStream& stream_;
  Progress& progress_;
  VolumeSet volumes_;
  std::set<size_t> open_;
  MemberBuilder builder_;
  std::vector<Target> targets_;
  std::string content_;
  std::string member_;
  size_t next_ = 0;  // segment
  uint64_t at_ = 0;  // of the stream
};

}  // namespace

Status WriteArchive(ArchiveCatalogue* catalogue, ArchiveStream* stream, const std::vector<std::string>& paths,
                    unsigned jobs, Progress* progress) {
  const Plan& plan = catalogue->plan;
  progress->bytes_total = plan.stored_bytes;
  if (plan.level == 0) return ArchiveWriter(catalogue, stream, paths, progress).Run();
  progress->bytes_total += plan.volumes_length();
  std::vector<std::string> plain;
  for (const std::string& path : paths) plain.push_back(path + ".plain");
  SHOAL_RETURN_IF_ERROR(ArchiveWriter(catalogue, stream, plain, progress).Run());
  return CompressVolumes(catalogue, plain, paths, jobs, progress);
}

}  // namespace shoal
