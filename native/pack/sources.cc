#include "pack/sources.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include "core/format.h"

namespace shoal {
namespace {

// The last component of what the user wrote; where that is no name (`.`, `a/..`), of the path that it stands for.
std::string BaseName(const std::string& given, const std::string& absolute) {
  for (const std::string* path : {&given, &absolute}) {
    const size_t end = path->find_last_not_of('/');
    if (end == std::string::npos) continue;
    const size_t slash = path->find_last_of('/', end);
    const size_t begin = slash == std::string::npos ? 0 : slash + 1;
    std::string name = path->substr(begin, end + 1 - begin);
    if (name != "." && name != "..") return name;
  }
  return std::string();
}

}  // namespace

Status ResolveSources(const std::vector<std::string>& given, std::vector<Source>* out) {
  out->clear();
  for (const std::string& path : given) {
    char* resolved = realpath(path.c_str(), nullptr);
    if (resolved == nullptr) return Status::FromErrno("cannot find source", path, errno);
    Source source{path, resolved, ""};
    std::free(resolved);
    source.name = BaseName(path, source.absolute);
    out->push_back(std::move(source));
  }
  if (out->size() < 2) return Status();
  std::sort(out->begin(), out->end(), [](const Source& a, const Source& b) { return a.name < b.name; });
  for (size_t i = 0; i < out->size(); i++) {
    const Source& source = (*out)[i];
    if (source.name.empty()) return Status(Code::kUsage, "has no name to stand under; pack it alone").At(source.given);
    if (i > 0 && source.name == (*out)[i - 1].name) {
      return Status(Code::kUsage,
                    "expected sources with different base names, found two called " + source.name +
                        "; pack their parent directory, or give one of them another name by a symbolic link")
          .At(source.given);
    }
  }
  return Status();
}

}  // namespace shoal
