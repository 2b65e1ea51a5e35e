#include "unpack/content_reader.h"

#include <fcntl.h>

#include <algorithm>
#include <cstdio>
#include <optional>
#include <tuple>
#include <utility>

#include "core/crc32c.h"

namespace shoal {
namespace {

// One read: stays in a core's cache from the copy out of the page cache to the checksum and the sink.
constexpr uint64_t kReadLength = ContentReader::kSmallLimit;
static_assert(kReadLength % format::kChunkLength == 0, "parts of large files are whole chunks");
static_assert(kReadLength >= format::kPieceLength, "a worker's buffer holds a piece");
// Headers and padding between neighbours are read over; where files of a selection lie further apart, a new read is
// cheaper.
constexpr uint64_t kMaxGap = 65536;
// Bounds a batch of empty files.
constexpr size_t kMaxBatchFiles = 1024;

std::string Hexadecimal(uint32_t value) {
  char text[9];
  std::snprintf(text, sizeof text, "%08x", value);
  return text;
}

// Of the extent that holds a stored byte.
size_t ExtentRow(const ContentFile& file, uint64_t stored_offset) {
  return std::upper_bound(file.starts.begin(), file.starts.end(), stored_offset) - file.starts.begin() - 1;
}

// Calls visit(the part of an extent that holds them, how many bytes came before) for stored bytes of the file.
template <typename Visit>
Status EachExtent(const ContentFile& file, uint64_t from, uint64_t size, const Visit& visit) {
  size_t row = ExtentRow(file, from);
  for (uint64_t done = 0; done < size; row++) {
    uint64_t skip = from + done - file.starts[row];
    Extent part = file.extents[row];
    part.file_offset += skip;
    part.offset += skip;
    part.length = std::min(part.length - skip, size - done);
    SHOAL_RETURN_IF_ERROR(visit(part, done));
    done += part.length;
  }
  return Status();
}

}  // namespace

struct ContentReader::LargeFile {
  ContentFile file;
  std::once_flag begun;
  std::unique_ptr<LargeFileSink> sink;
  std::atomic<uint64_t> parts_left{0};

  std::mutex mutex;  // for all below
  Status damage;
  uint64_t damage_at = 0;  // offset in the stored bytes of what `damage` tells: the first of all
};

struct ContentReader::Batch {
  struct Item {
    ContentFile file;
    Status damage;
  };

  // A piece of a volume …
  std::optional<PieceCheck::Piece> piece;
  // … or a part of a large file …
  std::shared_ptr<LargeFile> large;
  uint64_t from = 0;  // in its stored bytes
  uint64_t size = 0;
  // … or small files: items[0 … count). Those with one extent lie between begin and end of one volume; one with more is
  // alone.
  std::vector<Item> items;  // longer than count, to keep the memory of what it held before
  size_t count = 0;
  bool spans = false;
  bool scattered = false;
  uint32_t volume = 0;
  uint64_t begin = 0;
  uint64_t end = 0;

  // Takes the file in where it belongs to the same read.
  bool Add(const ContentFile& file) {
    if (scattered) return false;
    if (file.extents.size() > 1) {
      scattered = count == 0;
      return scattered;
    }
    if (file.stored == 0) return true;
    const Extent& extent = file.extents[0];
    uint64_t extent_end = extent.offset + extent.length;
    if (!spans) {
      spans = true;
      volume = extent.volume;
      begin = extent.offset;
      end = extent_end;
      return true;
    }
    if (extent.volume != volume || extent.offset < begin || extent.offset > end + kMaxGap) return false;
    if (std::max(end, extent_end) - begin > kReadLength) return false;
    end = std::max(end, extent_end);
    return true;
  }
};

// One thread's part.
class ContentReader::Worker {
 public:
  Worker(ContentReader* reader, GrowingThreads* threads, unsigned number, ContentSink* sink)
      : reader_(*reader),
        image_(reader->image_),
        threads_(*threads),
        number_(number),
        sink_(sink),
        buffer_(kReadLength) {}

  void Run() {
    Batch batch;
    while (reader_.Next(&batch)) {
      if (batch.piece) {
        reader_.pieces_->Check(*batch.piece, buffer_.data());
      } else if (batch.large) {
        LargeFilePart(batch);
      } else {
        SmallFiles(&batch);
      }
      threads_.Count(number_);
    }
  }

 private:
  void SmallFiles(Batch* batch) {
    bool read =
        batch->spans && image_.ReadVolume(batch->volume, batch->begin, buffer_.data(), batch->end - batch->begin).ok();
    uint64_t bytes = 0;
    for (size_t i = 0; i < batch->count; i++) {
      const ContentFile& file = batch->items[i].file;
      Status& damage = batch->items[i].damage;
      const uint8_t* stored = buffer_.data();
      if (damage.ok() && file.stored > 0) {
        if (read) {
          stored += file.extents[0].offset - batch->begin;
        } else {
          damage = Read(file, 0, file.stored);  // alone, so that a failure is told of the files that it concerns
        }
        if (damage.ok()) damage = Check(file, 0, stored, file.stored);
      }
      sink_->Small(number_, file, damage, damage.ok() ? stored : nullptr);
      threads_.Count(number_);
      bytes += file.entry.size;
    }
    reader_.progress_->bytes_done.fetch_add(bytes, std::memory_order_relaxed);
  }

  void LargeFilePart(const Batch& batch) {
    LargeFile& large = *batch.large;
    std::call_once(large.begun, [&] { large.sink = sink_->Large(number_, large.file); });

    Status damage = Read(large.file, batch.from, batch.size);
    if (damage.ok()) damage = Check(large.file, batch.from, buffer_.data(), batch.size);
    if (damage.ok()) {
      HandOn(large, batch.from, batch.size);
    } else {
      std::lock_guard<std::mutex> lock(large.mutex);
      if (large.damage.ok() || batch.from < large.damage_at) {
        large.damage = std::move(damage);
        large.damage_at = batch.from;
      }
    }

    reader_.progress_->bytes_done.fetch_add(batch.size, std::memory_order_relaxed);
    if (large.parts_left.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
    reader_.progress_->bytes_done.fetch_add(large.file.entry.size - large.file.stored, std::memory_order_relaxed);
    large.sink->Finish(large.damage);
    large.sink.reset();
  }

  // Fills the buffer with stored bytes of the file.
  Status Read(const ContentFile& file, uint64_t from, uint64_t size) {
    return EachExtent(file, from, size, [&](const Extent& part, uint64_t done) {
      return image_.ReadVolume(part.volume, part.offset, buffer_.data() + done, part.length);
    });
  }

  void HandOn(const LargeFile& large, uint64_t from, uint64_t size) {
    Status status = EachExtent(large.file, from, size, [&](const Extent& part, uint64_t done) {
      large.sink->Take(part.file_offset, buffer_.data() + done, part.length);
      return Status();
    });
    if (!status.ok()) reader_.Stop(std::move(status));
  }

  // Holds stored bytes, whole chunks but for the file's last, against their checksums.
  Status Check(const ContentFile& file, uint64_t from, const uint8_t* data, uint64_t size) const {
    if ((image_.volume_info(file.extents[0].volume).flags & format::kVolumeHasChecksums) == 0) return Status();
    for (uint64_t done = 0; done < size; done += format::kChunkLength) {
      uint32_t expected = file.entry.checksum;
      if (file.stored > format::kChunkLength) {
        SHOAL_RETURN_IF_ERROR(image_.index().ChunkChecksum(
            uint64_t{file.entry.checksum} + (from + done) / format::kChunkLength, &expected));
      }
      uint32_t found = Crc32c(data + done, std::min<uint64_t>(format::kChunkLength, size - done));
      if (found != expected) return Mismatch(file, from + done, expected, found);
    }
    return Status();
  }

  Status Mismatch(const ContentFile& file, uint64_t at, uint32_t expected, uint32_t found) const {
    Extent place;
    Status status = EachExtent(file, at, 1, [&](const Extent& part, uint64_t) {
      place = part;
      return Status();
    });
    if (!status.ok()) return status;
    return Status(Code::kChecksum, "expected bytes with CRC32C " + Hexadecimal(expected) + ", found " +
                                       Hexadecimal(found) + "; the volume is damaged, restore it from a copy")
        .At(image_.volume_path(place.volume), static_cast<int64_t>(place.offset));
  }

  ContentReader& reader_;
  const Image& image_;
  GrowingThreads& threads_;
  const unsigned number_;
  ContentSink* const sink_;
  std::vector<uint8_t> buffer_;
};

Status ContentReader::Run(std::vector<uint32_t> files, GrowingThreads* threads, ContentSink* sink) {
  SortByPlace(&files);
  files_ = std::move(files);
  next_file_ = 0;
  for (size_t row = 0; row < image_.volume_count(); row++) {
    posix_fadvise(image_.volume_file(row).fd(), 0, 0, POSIX_FADV_SEQUENTIAL);
  }
  Status status = threads->Run([&](unsigned number) { Worker(this, threads, number, sink).Run(); });
  large_.reset();  // ended early: its sink hears of it by its end
  return status_.ok() ? status : status_;
}

void ContentReader::Stop(Status status) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (status_.ok()) status_ = std::move(status);
  stopped_ = true;
}

// Volumes that Shoal wrote have the files in index order already.
void ContentReader::SortByPlace(std::vector<uint32_t>* files) const {
  using Place = std::tuple<uint32_t, uint64_t, uint32_t>;  // volume, offset, file
  ContentFile file;
  auto place_of = [&](uint32_t number) {
    if (!Decode(number, &file).ok() || file.extents.empty()) return Place(0, 0, number);
    return Place(file.extents[0].volume, file.extents[0].offset, number);
  };

  bool sorted = true;
  Place last(0, 0, 0);
  for (size_t i = 0; sorted && i < files->size(); i++) {
    Place place = place_of((*files)[i]);
    if (std::get<0>(place) == 0 && std::get<1>(place) == 0) continue;  // no bytes to read
    sorted = last < place;
    last = place;
  }
  if (sorted) return;

  std::vector<Place> places;
  places.reserve(files->size());
  for (uint32_t number : *files) places.push_back(place_of(number));
  std::sort(places.begin(), places.end());
  for (size_t i = 0; i < places.size(); i++) (*files)[i] = std::get<2>(places[i]);
}

bool ContentReader::Next(Batch* batch) {
  std::lock_guard<std::mutex> lock(mutex_);
  batch->piece.reset();
  batch->large.reset();
  batch->count = 0;
  batch->spans = false;
  batch->scattered = false;
  if (Ended()) return false;

  PieceCheck::Piece piece;
  if (pieces_ != nullptr && pieces_->Take(reached_volume_, reached_, &piece)) {
    batch->piece = piece;
    return true;
  }
  if (NextContent(batch)) {
    Reach(*batch);
    return true;
  }
  // What lies behind the last file.
  if (pieces_ != nullptr && pieces_->Take(image_.volume_count(), 0, &piece)) batch->piece = piece;
  return batch->piece.has_value();
}

bool ContentReader::NextContent(Batch* batch) {
  while (!large_ && next_file_ < files_.size() && batch->count < kMaxBatchFiles) {
    if (batch->count == batch->items.size()) batch->items.emplace_back();
    Batch::Item& item = batch->items[batch->count];
    item.damage = Decode(files_[next_file_], &item.file);
    if (item.damage.ok() && item.file.stored > kSmallLimit) {
      if (batch->count > 0) return true;
      large_ = std::make_shared<LargeFile>();
      large_->file = item.file;
      large_->parts_left = (item.file.stored + kReadLength - 1) / kReadLength;
      next_stored_ = 0;
    } else if (batch->Add(item.file)) {
      batch->count++;
    } else {
      return true;
    }
    next_file_++;
  }
  if (!large_) return batch->count > 0;

  batch->large = large_;
  batch->from = next_stored_;
  batch->size = std::min(kReadLength, large_->file.stored - next_stored_);
  next_stored_ += batch->size;
  if (next_stored_ == large_->file.stored) large_.reset();
  return true;
}

// Remembers where the batch ends.
void ContentReader::Reach(const Batch& batch) {
  if (batch.spans) {
    reached_volume_ = batch.volume;
    reached_ = batch.end;
  } else if (batch.large || batch.scattered) {
    const ContentFile& file = batch.large ? batch.large->file : batch.items[0].file;
    const uint64_t end = batch.large ? batch.from + batch.size : file.stored;
    const Extent& last = file.extents[ExtentRow(file, end - 1)];
    reached_volume_ = last.volume;
    reached_ = last.offset + last.length;
  }
}

// Leaves a file without extents where it fails: there is nothing of it to read.
Status ContentReader::Decode(uint32_t number, ContentFile* out) const {
  out->entry = Entry();
  out->entry.number = number;
  out->extents.clear();
  Status status = image_.index().Get(number, &out->entry);
  if (status.ok()) status = image_.index().Extents(out->entry, &out->extents);
  out->starts.clear();
  out->stored = 0;
  for (size_t i = 0; status.ok() && i < out->extents.size(); i++) {
    out->starts.push_back(out->stored);
    out->stored += out->extents[i].length;
  }
  if (status.ok()) return status;
  out->extents.clear();
  out->stored = 0;
  return status;
}

bool ContentReader::Ended() {
  if (progress_->cancel.load(std::memory_order_relaxed) != 0 && status_.ok()) {
    status_ = Status(Code::kCancelled, "cancelled before it was done");
    stopped_ = true;
  }
  return !status_.ok();
}

}  // namespace shoal
