#include "core/index_view.h"

#include <time.h>

#include "core/index_map.h"
#include "core/index_reader.h"

namespace shoal {
namespace {

constexpr int kTries = 3;
constexpr long kFirstPauseNanoseconds = 10 * 1000 * 1000;  // ×10 for each further one

}  // namespace

IndexView::IndexView() = default;
IndexView::~IndexView() = default;

Status IndexView::Open(const std::string& path, std::unique_ptr<IndexView>* out, std::optional<StorageKind> storage) {
  std::unique_ptr<IndexView> view(new IndexView());
  SHOAL_RETURN_IF_ERROR(IndexMap::Open(path, &view->map_, storage));
  view->reader_.reset(new IndexReader(view->map_.get()));
  view->entry_count_ = view->reader_->entry_count();
  SHOAL_RETURN_IF_ERROR(view->Ask([&] { return view->reader_->CheckRoot(); }));
  SHOAL_RETURN_IF_ERROR(view->Ask([&] { return view->reader_->ReadFrameTables(); }));
  *out = std::move(view);
  return Status();
}

// The answer to a question that was asked while no page failed: one from a map of which a page failed is none, be it an
// error or not.
template <typename Question>
Status IndexView::Ask(Question question) const {
  const FaultGuard& guard = map_->guard();
  const uint64_t before = guard.count();
  const bool hurt = guard.hurt();
  Status answer = question();
  if (__builtin_expect(hurt || guard.count() != before, false)) answer = AskAgain(question);
  return answer;
}

Status IndexView::AskAgain(const std::function<Status()>& question) const {
  long pause = kFirstPauseNanoseconds;
  for (int tries = 1; tries < kTries; tries++, pause *= 10) {
    SHOAL_RETURN_IF_ERROR(map_->Recover());
    const FaultGuard& guard = map_->guard();
    const uint64_t before = guard.count();
    if (!guard.hurt()) {
      Status answer = question();
      if (guard.count() == before) return answer;
    }
    const timespec time = {0, pause};
    nanosleep(&time, nullptr);
  }
  return Status(Code::kIo, "storage did not give a page of the index; see the kernel's log, and try again").At(path());
}

uint64_t IndexView::faults() { return FaultGuard::total(); }
uint64_t IndexView::copied_bytes() const { return map_->copied_bytes(); }

const std::string& IndexView::path() const { return map_->path(); }
const uint8_t* IndexView::id() const { return map_->id(); }
bool IndexView::has_xattrs() const { return map_->section(format::Section::kXattrs).length != 0; }

Status IndexView::CheckBlocks() const {
  return Ask([&] { return map_->CheckBlocks(); });
}

Status IndexView::Get(uint32_t number, Entry* out) const {
  return Ask([&] { return reader_->Get(number, out); });
}

Status IndexView::Resolve(uint32_t number, Entry* out) const {
  return Ask([&] { return reader_->Resolve(number, out); });
}

Status IndexView::Name(uint32_t number, std::string_view* out) const {
  return Ask([&] { return reader_->Name(number, out); });
}

Status IndexView::Parent(uint32_t number, uint32_t* out) const {
  return Ask([&] { return reader_->Parent(number, out); });
}

Status IndexView::Path(uint32_t number, std::string* out) const {
  return Ask([&] { return reader_->Path(number, out); });
}

Status IndexView::Lookup(const Entry& directory, std::string_view name, uint32_t* out) const {
  return Ask([&] { return reader_->Lookup(directory, name, out); });
}

Status IndexView::HasName(uint32_t number, std::string_view name, bool* out) const {
  return Ask([&] { return reader_->HasName(number, name, out); });
}

Status IndexView::LinkTarget(const Entry& link, std::string_view* out) const {
  return Ask([&] { return reader_->LinkTarget(link, out); });
}

Status IndexView::Extents(const Entry& file, std::vector<Extent>* out) const {
  return Ask([&] { return reader_->Extents(file, out); });
}

Status IndexView::ChunkChecksum(uint64_t row, uint32_t* out) const {
  return Ask([&] { return reader_->ChunkChecksum(row, out); });
}

Status IndexView::PieceChecksum(uint64_t row, uint32_t* out) const {
  return Ask([&] { return reader_->PieceChecksum(row, out); });
}

Status IndexView::DirectoryTotals(const Entry& directory, Totals* out) const {
  return Ask([&] { return reader_->DirectoryTotals(directory, out); });
}

Status IndexView::Xattrs(uint32_t set, std::vector<Xattr>* out) const {
  return Ask([&] { return reader_->Xattrs(set, out); });
}

Status IndexView::MayHaveAcls(bool* out) const {
  return Ask([&] { return reader_->MayHaveAcls(out); });
}

Status IndexView::Volumes(std::vector<VolumeInfo>* out) const {
  return Ask([&] { return reader_->Volumes(out); });
}

Status IndexView::Frame(const VolumeInfo& volume, uint64_t frame, FramePlace* out) const {
  return Ask([&] { return reader_->Frame(volume, frame, out); });
}

}  // namespace shoal
