// Between Node-API values and the core's: statuses, problems, progress, and jobs that run away from the JavaScript
// thread.
#pragma once

#include <napi.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/catalogue.h"
#include "core/progress.h"
#include "core/status.h"
#include "pack/pack_catalogue.h"

namespace shoal::addon {

// A JavaScript Error with code, path (Buffer), offset and errno as NativeFailure in src/native/addon.ts has them.
Napi::Error ToError(Napi::Env env, const Status& status);

std::string ToBytes(const Napi::Value& buffer);                  // Buffer → bytes
std::vector<std::string> ToBytesList(const Napi::Value& array);  // Buffer[] → bytes
Napi::Value ToBuffer(Napi::Env env, std::string_view bytes);
Napi::Array ToProblems(Napi::Env env, const std::vector<Problem>& problems);

// A copy, as an array of numbers.
template <typename Array, typename Column>
Array ToColumn(Napi::Env env, const Column& column) {
  auto array = Array::New(env, column.size());
  std::copy(column.begin(), column.end(), array.Data());
  return array;
}

// Checksums of the pieces of each volume → Uint32Array[].
Napi::Array ToPieces(Napi::Env env, const std::vector<std::vector<uint32_t>>& pieces);

// The counters inside a BigUint64Array(5); valid while `RunJob` keeps the array alive.
Progress* ToProgress(const Napi::Value& array);

// Runs `work` on a thread of the pool, then settles the returned promise: with `finish`'s value, or with work's error.
// `keep` are values that `work` uses the memory of; they stay alive until the promise is settled.
Napi::Promise RunJob(Napi::Env env, std::vector<Napi::Value> keep, std::function<Status()> work,
                     std::function<Napi::Value(Napi::Env)> finish);

// A catalogue as an opaque JavaScript value, type-tagged, and back.
Napi::Value WrapCatalogue(Napi::Env env, std::shared_ptr<Catalogue> catalogue);
std::shared_ptr<Catalogue> UnwrapCatalogue(const Napi::Value& value);
// The catalogue of a walk; else a TypeError.
std::shared_ptr<PackCatalogue> ToPackCatalogue(const Napi::Value& value);
// The same, to be changed; an Error if it is closed.
std::shared_ptr<PackCatalogue> ToOpenCatalogue(const Napi::Value& value);

// One per file of this folder.
void ExportColumns(Napi::Env env, Napi::Object exports);
void ExportConstants(Napi::Env env, Napi::Object exports);
void ExportIndex(Napi::Env env, Napi::Object exports);
void ExportPack(Napi::Env env, Napi::Object exports);
void ExportScan(Napi::Env env, Napi::Object exports);
void ExportMerge(Napi::Env env, Napi::Object exports);
void ExportArchive(Napi::Env env, Napi::Object exports);
void ExportUnpack(Napi::Env env, Napi::Object exports);
void ExportRemove(Napi::Env env, Napi::Object exports);
void ExportSlice(Napi::Env env, Napi::Object exports);
void ExportWalk(Napi::Env env, Napi::Object exports);
void ExportFuse(Napi::Env env, Napi::Object exports);
void ExportZstd(Napi::Env env, Napi::Object exports);
void ExportPrivateMounts(Napi::Env env, Napi::Object exports);

}  // namespace shoal::addon
