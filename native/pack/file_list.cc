#include "pack/file_list.h"

#include <algorithm>
#include <climits>

namespace shoal {
namespace {

constexpr size_t kMaxPaths = 0xFFFFFFFE;

// By components, each by its bytes: a `/` comes before all bytes that a name may have.
bool Before(std::string_view a, std::string_view b) {
  const size_t shared = std::min(a.size(), b.size());
  const auto differ = std::mismatch(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(shared), b.begin());
  if (differ.first == a.begin() + static_cast<std::ptrdiff_t>(shared)) return a.size() < b.size();
  if (*differ.first == '/' || *differ.second == '/') return *differ.first == '/';
  return static_cast<unsigned char>(*differ.first) < static_cast<unsigned char>(*differ.second);
}

// The part of `path` that is below `directory`, which is absolute.
bool RemoveDirectory(std::string_view directory, std::string_view* path) {
  while (directory.size() > 1 && directory.back() == '/') directory.remove_suffix(1);
  if (path->substr(0, directory.size()) != directory) return false;
  const std::string_view below = path->substr(directory.size());
  if (!below.empty() && below.front() != '/' && directory != "/") return false;
  *path = below;
  return true;
}

}  // namespace

Status FileList::Parse(const std::string& text, char separator, const Source& source, FileList* out) {
  *out = FileList();
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find(separator, at), text.size());
    if (end > at) SHOAL_RETURN_IF_ERROR(out->Add(std::string_view(text).substr(at, end - at), source));
    at = end + 1;
  }
  std::sort(out->places_.begin(), out->places_.end(), [&](const Place& a, const Place& b) {
    const std::string_view paths = out->paths_;
    return Before(paths.substr(a.offset, a.length), paths.substr(b.offset, b.length));
  });
  return Status();
}

Status FileList::Add(std::string_view path, const Source& source) {
  const std::string given(path);
  auto mistake = [&](const char* found) {
    return Status(Code::kUsage, std::string("expected a path below the source in the list of files, found ") + found)
        .At(given);
  };
  if (places_.size() == kMaxPaths) return mistake("more than 4294967294 of them");
  if (path.find('\0') != std::string_view::npos) return mistake("one with a NUL in it; is --null missing?");
  if (path.front() == '/' && !RemoveDirectory(source.given, &path) && !RemoveDirectory(source.absolute, &path)) {
    return mistake("one that is elsewhere");
  }
  const size_t offset = paths_.size();
  while (!path.empty()) {
    const size_t slash = std::min(path.find('/'), path.size());
    const std::string_view name = path.substr(0, slash);
    path.remove_prefix(std::min(slash + 1, path.size()));
    if (name.empty() || name == ".") continue;
    if (name == "..") return mistake("one with \"..\" in it");
    paths_.append(name).push_back('/');
  }
  if (paths_.size() - offset > UINT32_MAX) return mistake("one of more than 4 GiB");
  places_.push_back({offset, static_cast<uint32_t>(paths_.size() - offset)});
  return Status();
}

std::string FileList::Names(const Range& range) const {
  std::string names;
  for (Range rest = range; rest.begin < rest.end;) {
    const std::string_view path = Stored(rest.begin).substr(range.depth);
    const std::string_view name = path.substr(0, path.find('/'));
    names.append(name).push_back('\0');
    rest.begin = Below(rest, name).end;
  }
  return names;
}

FileList::Range FileList::Below(const Range& range, std::string_view name) const {
  const auto first = places_.begin() + range.begin, last = places_.begin() + range.end;
  auto name_of = [&](const Place& place) {
    const std::string_view path =
        std::string_view(paths_).substr(place.offset + range.depth, place.length - range.depth);
    return path.substr(0, path.find('/'));
  };
  const auto begin = std::partition_point(first, last, [&](const Place& place) { return name_of(place) < name; });
  const auto end = std::partition_point(begin, last, [&](const Place& place) { return name_of(place) == name; });
  return {static_cast<uint32_t>(begin - places_.begin()), static_cast<uint32_t>(end - places_.begin()),
          range.depth + static_cast<uint32_t>(name.size()) + 1};
}

}  // namespace shoal
