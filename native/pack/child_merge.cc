#include "pack/child_merge.h"

#include <algorithm>

#include "core/show_bytes.h"

namespace shoal {

Status ChildMerge::Start(const std::vector<Place>& parts) {
  heap_.clear();
  for (const Place& part : parts) {
    const IndexView& index = IndexOf(indexes_, part);
    Entry directory;
    SHOAL_RETURN_IF_ERROR(index.Get(part.number, &directory));
    if (!directory.IsDirectory()) return Status(Code::kInternal, "expected a directory to merge, found something else");
    if (directory.child_count == 0) continue;
    Cursor cursor{{}, {part.layer, directory.first_child}, directory.first_child + directory.child_count, part.number};
    SHOAL_RETURN_IF_ERROR(index.Name(cursor.place.number, &cursor.name));
    heap_.push_back(cursor);
  }
  std::make_heap(heap_.begin(), heap_.end(), IsBehind);
  return Status();
}

Status ChildMerge::Next(std::string_view* name, std::vector<Found>* found) {
  found->clear();
  while (!heap_.empty() && (found->empty() || heap_.front().name == *name)) {
    std::pop_heap(heap_.begin(), heap_.end(), IsBehind);
    Cursor& cursor = heap_.back();
    *name = cursor.name;
    found->push_back({cursor.place, cursor.directory});
    bool more;
    SHOAL_RETURN_IF_ERROR(Advance(&cursor, &more));
    if (more) {
      std::push_heap(heap_.begin(), heap_.end(), IsBehind);
    } else {
      heap_.pop_back();
    }
  }
  return Status();
}

Status ChildMerge::Advance(Cursor* cursor, bool* more) const {
  const IndexView& index = IndexOf(indexes_, cursor->place);
  *more = ++cursor->place.number < cursor->end;
  if (!*more) return Status();
  const std::string_view before = cursor->name;
  SHOAL_RETURN_IF_ERROR(index.Name(cursor->place.number, &cursor->name));
  if (before < cursor->name) return Status();
  return Status(Code::kMalformed, "expected names sorted and unique in a directory, found " + ShowBytes(cursor->name) +
                                      " behind " + ShowBytes(before) + "; make the index anew from its volumes")
      .At(index.path());
}

}  // namespace shoal
