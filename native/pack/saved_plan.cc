#include "pack/saved_plan.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <type_traits>

#include "core/crc32c.h"
#include "core/file.h"

namespace shoal {
namespace {

// Eight bytes that no other version of this file begins with: what follows is laid out by Fields below.
constexpr char kMagic[] = "SHOALP2\n";
constexpr size_t kMagicLength = 8;

// Writes numbers, text and columns one behind the other: a length in bytes before each, a CRC32C over all at the end.
class Saver {
 public:
  Saver(int fd, const std::string& path) : fd_(fd), path_(path) { buffer_.reserve(kBuffer); }

  template <typename Number>
  void Column(const std::vector<Number>& column) {
    static_assert(std::is_trivially_copyable<Number>::value, "stored as it lies");
    Bytes(column.data(), column.size() * sizeof(Number));
  }
  void Column(const std::string& text) { Bytes(text.data(), text.size()); }
  void Number(uint64_t value) { Append(&value, sizeof value); }

  Status Finish() {
    Flush();
    const uint32_t checksum = checksum_;
    Append(&checksum, sizeof checksum);
    Flush();
    return status_;
  }

  void Append(const void* from, size_t size) {
    if (buffer_.size() + size > kBuffer) Flush();
    if (size > kBuffer) return Write(static_cast<const char*>(from), size);
    buffer_.append(static_cast<const char*>(from), size);
  }

 private:
  static constexpr size_t kBuffer = 1 << 20;

  void Bytes(const void* from, size_t size) {
    Number(size);
    Append(from, size);
  }
  void Flush() {
    Write(buffer_.data(), buffer_.size());
    buffer_.clear();
  }
  void Write(const char* from, size_t size) {
    if (!status_.ok()) return;
    checksum_ = Crc32c(from, size, checksum_);
    status_ = WriteExact(fd_, path_, offset_, from, size);
    offset_ += size;
  }

  const int fd_;
  const std::string& path_;
  std::string buffer_;
  uint64_t offset_ = 0;
  uint32_t checksum_ = 0;
  Status status_;
};

// Takes the same from the bytes of the whole file, whose checksum was found right.
class Loader {
 public:
  explicit Loader(const std::string& bytes) : at_(bytes.data()), end_(bytes.data() + bytes.size()) {}

  template <typename Number>
  void Column(std::vector<Number>& column) {
    const uint64_t size = Length();
    column.resize(size / sizeof(Number));
    if (size != 0) std::memcpy(column.data(), at_, column.size() * sizeof(Number));
    at_ += size;
  }
  void Column(std::string& text) {
    const uint64_t size = Length();
    text.assign(at_, size);
    at_ += size;
  }
  void Number(uint64_t& value) {
    value = 0;
    if (static_cast<size_t>(end_ - at_) < sizeof value) return;
    std::memcpy(&value, at_, sizeof value);
    at_ += sizeof value;
  }

 private:
  uint64_t Length() {
    uint64_t size;
    Number(size);
    return std::min<uint64_t>(size, static_cast<uint64_t>(end_ - at_));
  }

  const char* at_;
  const char* const end_;
};

// All that a walk knows. The same order for a Saver and a Loader.
template <typename To, typename Catalogue>
void Columns(To* to, Catalogue* catalogue) {
  to->Column(catalogue->name_lengths);
  to->Column(catalogue->names);
  to->Column(catalogue->name_offsets);
  to->Column(catalogue->parents);
  to->Column(catalogue->attributes);
  to->Column(catalogue->seconds);
  to->Column(catalogue->nanoseconds);
  to->Column(catalogue->sizes);
  to->Column(catalogue->offsets);
  to->Column(catalogue->counts);
  to->Column(catalogue->checksums);
  to->Column(catalogue->stamps);
  to->Column(catalogue->originals);
  to->Column(catalogue->attribute_rows);
  to->Column(catalogue->xattr_sets);
  to->Column(catalogue->link_targets);
}

}  // namespace

Status SavePlan(const PackCatalogue& catalogue, const std::string& request, const std::string& path) {
  UniqueFd fd(open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666));
  if (!fd.valid()) return Status::FromErrno("cannot create", path, errno);
  Saver saver(fd.get(), path);
  saver.Append(kMagic, kMagicLength);
  saver.Column(request);
  saver.Number(catalogue.sources.size());
  for (const Source& source : catalogue.sources) {
    for (const std::string* text : {&source.given, &source.absolute, &source.name}) saver.Column(*text);
  }
  saver.Number(catalogue.made_up_root);
  saver.Number(catalogue.complete);
  saver.Number(catalogue.skips_unreadable);
  saver.Number(catalogue.content_bytes);
  Columns(&saver, &catalogue);
  saver.Number(catalogue.extent_lists.size());
  for (const ExtentList& list : catalogue.extent_lists) {
    saver.Number(list.entry);
    saver.Number(list.size);
    saver.Column(list.extents);
  }
  return saver.Finish();
}

Status LoadPlan(const std::string& path, std::string* request, std::shared_ptr<PackCatalogue>* out) {
  UniqueFd fd;
  uint64_t length;
  SHOAL_RETURN_IF_ERROR(OpenRegular(path, Code::kMalformed, &fd, &length));
  std::string bytes(length, '\0');
  SHOAL_RETURN_IF_ERROR(ReadExact(fd.get(), path, 0, &bytes[0], bytes.size()));
  uint32_t checksum = 0;
  const bool is_long_enough = length >= kMagicLength + sizeof checksum;
  if (is_long_enough) std::memcpy(&checksum, bytes.data() + length - sizeof checksum, sizeof checksum);
  if (!is_long_enough || bytes.compare(0, kMagicLength, kMagic, kMagicLength) != 0 ||
      Crc32c(bytes.data(), length - sizeof checksum) != checksum) {
    return Status(Code::kMalformed, "expected the plan of a run that was stopped, found something else or half of it")
        .At(path);
  }
  bytes.resize(length - sizeof checksum);
  bytes.erase(0, kMagicLength);

  auto catalogue = std::make_shared<PackCatalogue>();
  Loader loader(bytes);
  loader.Column(*request);
  uint64_t count;
  loader.Number(count);
  for (uint64_t i = 0; i < count; i++) {
    Source& source = catalogue->sources.emplace_back();
    for (std::string* text : {&source.given, &source.absolute, &source.name}) loader.Column(*text);
  }
  uint64_t made_up_root, complete, skips_unreadable;
  loader.Number(made_up_root);
  loader.Number(complete);
  loader.Number(skips_unreadable);
  loader.Number(catalogue->content_bytes);
  catalogue->made_up_root = made_up_root != 0;
  catalogue->complete = complete != 0;
  catalogue->skips_unreadable = skips_unreadable != 0;
  Columns(&loader, catalogue.get());
  loader.Number(count);
  for (uint64_t i = 0; i < count; i++) {
    ExtentList& list = catalogue->extent_lists.emplace_back();
    uint64_t entry;
    loader.Number(entry);
    list.entry = static_cast<uint32_t>(entry);
    loader.Number(list.size);
    loader.Column(list.extents);
  }
  *out = std::move(catalogue);
  return Status();
}

}  // namespace shoal
