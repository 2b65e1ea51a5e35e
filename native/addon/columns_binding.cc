// catalogueColumns of src/native/addon.ts.
#include <cstring>
#include <memory>
#include <string>

#include "addon/bridge.h"

namespace shoal::addon {
namespace {

template <typename Number>
Napi::Value ArrayOver(Napi::Env env, Napi::ArrayBuffer buffer) {
  return Napi::TypedArrayOf<Number>::New(env, buffer.ByteLength() / sizeof(Number), buffer, 0);
}

// The column itself, not a copy, as an array of `Number`, of which an element of the column has one or two; its memory
// stays as long as the array. Runtimes that keep all memory in one place of theirs get a copy.
template <typename Number, typename Column>
Napi::Value ToView(Napi::Env env, const std::shared_ptr<Catalogue>& catalogue, const Column& column) {
  using Element = typename Column::value_type;
  static_assert(sizeof(Element) % sizeof(Number) == 0, "whole elements");
  const size_t bytes = column.size() * sizeof(Element);
  if (bytes == 0) return Napi::TypedArrayOf<Number>::New(env, 0);
  auto* data = const_cast<Element*>(column.data());  // nobody writes to it
  auto* owner = new std::shared_ptr<Catalogue>(catalogue);
  const auto release = [](napi_env, void*, void* hint) { delete static_cast<std::shared_ptr<Catalogue>*>(hint); };
  napi_value buffer = nullptr;
  const napi_status status = napi_create_external_arraybuffer(env, data, bytes, release, owner, &buffer);
  if (status == napi_ok) return ArrayOver<Number>(env, Napi::ArrayBuffer(env, buffer));
  delete owner;
  if (status != napi_no_external_buffers_allowed) {
    if (env.IsExceptionPending()) env.GetAndClearPendingException();
    throw ToError(
        env, Status(Code::kUnsupported, "expected a column of entries that fits an array of JavaScript, found one of " +
                                            std::to_string(bytes) + " bytes; make several images"));
  }
  auto copy = Napi::ArrayBuffer::New(env, bytes);
  std::memcpy(copy.Data(), data, bytes);
  return ArrayOver<Number>(env, copy);
}

Napi::Value ExtentListsOf(Napi::Env env, const Catalogue& catalogue) {
  std::vector<double> numbers;
  for (const ExtentList& list : catalogue.extent_lists) {
    numbers.insert(numbers.end(), {static_cast<double>(list.entry), static_cast<double>(list.size),
                                   static_cast<double>(list.extents.size())});
    for (const Extent& extent : list.extents) {
      numbers.insert(numbers.end(), {static_cast<double>(extent.file_offset), static_cast<double>(extent.length),
                                     static_cast<double>(extent.offset), static_cast<double>(extent.volume)});
    }
  }
  return ToColumn<Napi::Float64Array>(env, numbers);
}

Napi::Value AttributeRowsOf(Napi::Env env, const Catalogue& catalogue) {
  auto array = Napi::Uint32Array::New(env, catalogue.attribute_rows.size() * 5);
  uint32_t* to = array.Data();
  for (const AttributesRow& row : catalogue.attribute_rows) {
    for (uint32_t value : {row.mode, row.uid, row.gid, row.nlink, row.xattrs}) *to++ = value;
  }
  return array;
}

// catalogueColumns(catalogue)
Napi::Value CatalogueColumns(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  std::shared_ptr<Catalogue> catalogue = UnwrapCatalogue(info[0]);
  Catalogue& from = *catalogue;
  from.is_closed = true;
  Napi::Object columns = Napi::Object::New(env);
  columns.Set("names", ToView<uint8_t>(env, catalogue, from.names));
  columns.Set("nameLengths", ToView<uint8_t>(env, catalogue, from.name_lengths));
  columns.Set("parents", ToView<uint32_t>(env, catalogue, from.parents));
  columns.Set("attributes", ToView<uint32_t>(env, catalogue, from.attributes));
  columns.Set("seconds", ToView<uint32_t>(env, catalogue, from.seconds));
  columns.Set("nanoseconds", ToView<uint32_t>(env, catalogue, from.nanoseconds));
  columns.Set("sizes", ToView<uint32_t>(env, catalogue, from.sizes));
  columns.Set("offsets", ToView<uint32_t>(env, catalogue, from.offsets));
  columns.Set("volumes", ToView<uint16_t>(env, catalogue, from.volumes));
  columns.Set("counts", ToView<uint32_t>(env, catalogue, from.counts));
  columns.Set("checksums", ToView<uint32_t>(env, catalogue, from.checksums));
  columns.Set("attributeRows", AttributeRowsOf(env, from));
  columns.Set("xattrSets", ToView<uint8_t>(env, catalogue, from.xattr_sets));
  columns.Set("linkTargets", ToView<uint8_t>(env, catalogue, from.link_targets));
  columns.Set("extentLists", ExtentListsOf(env, from));
  columns.Set("chunkChecksums", ToView<uint32_t>(env, catalogue, from.chunk_checksums));
  columns.Set("hasChecksums", from.has_checksums);
  return columns;
}

}  // namespace

void ExportColumns(Napi::Env env, Napi::Object exports) {
  exports.Set("catalogueColumns", Napi::Function::New(env, CatalogueColumns, "catalogueColumns"));
}

}  // namespace shoal::addon
