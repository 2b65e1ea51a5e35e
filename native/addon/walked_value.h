// A walked catalogue as a JavaScript value: WalkedCatalogue of src/native/addon.ts.
#pragma once

#include <memory>

#include "addon/bridge.h"
#include "pack/survey.h"

namespace shoal::addon {

inline Napi::Object ToSurvey(Napi::Env env, const Survey& survey) {
  Napi::Object counts = Napi::Object::New(env);
  auto set = [&](const char* name, uint64_t count) { counts.Set(name, static_cast<double>(count)); };
  set("files", survey.files);
  set("directories", survey.directories);
  set("symbolicLinks", survey.symbolic_links);
  set("devices", survey.devices);
  set("fifos", survey.fifos);
  set("aliases", survey.aliases);
  set("inodes", survey.inodes);
  return counts;
}

inline Napi::Object ToWalked(Napi::Env env, const std::shared_ptr<PackCatalogue>& catalogue) {
  Napi::Object result = Napi::Object::New(env);
  result.Set("catalogue", WrapCatalogue(env, catalogue));
  result.Set("entries", static_cast<double>(catalogue->size()));
  result.Set("bytes", static_cast<double>(catalogue->content_bytes));
  result.Set("survey", ToSurvey(env, SurveyOf(*catalogue)));
  return result;
}

}  // namespace shoal::addon
