#include "addon/bridge.h"
#include "core/format.h"

namespace shoal::addon {

void ExportConstants(Napi::Env env, Napi::Object exports) {
  Napi::Object constants = Napi::Object::New(env);
  const std::pair<const char*, double> numbers[] = {
      {"major", format::kMajor},
      {"minor", format::kMinor},
      {"headerLength", format::kHeaderLength},
      {"blockSize", format::kBlockSize},
      {"maxSections", format::kMaxSections},
      {"idLength", format::kIdLength},
      {"sectionRowLength", format::kSectionRowLength},
      {"sectionEssential", format::kSectionEssential},
      {"sectionAlignment", format::kSectionAlignment},
      {"lastSection", format::kLastSection},
      {"pageLength", format::kPageLength},
      {"pageEntries", format::kPageEntries},
      {"nameGroupEntries", format::kNameGroupEntries},
      {"aliasAttributes", format::kAliasAttributes},
      {"wideAttributes", format::kWideAttributes},
      {"extentListVolume", format::kExtentListVolume},
      {"maxNameLength", format::kMaxNameLength},
      {"maxEntries", format::kMaxEntries},
      {"maxAnswer", format::kMaxAnswer},
      {"maxNumber", format::kMaxNumber},
      {"bucketSlots", format::kBucketSlots},
      {"bucketFill", format::kBucketFill},
      {"bucketLength", format::kBucketLength},
      {"tagBits", format::kTagBits},
      {"tagMultiplier", format::kTagMultiplier},
      {"attributesRowLength", format::kAttributesRowLength},
      {"noXattrs", format::kNoXattrs},
      {"directoryRowLength", format::kDirectoryRowLength},
      {"extentRowLength", format::kExtentRowLength},
      {"extentListHeaderLength", format::kExtentListHeaderLength},
      {"chunkLength", format::kChunkLength},
      {"wideRowLength", format::kWideRowLength},
      {"volumeRowLength", format::kVolumeRowLength},
      {"volumeHasChecksums", format::kVolumeHasChecksums},
      {"volumeByShoal", format::kVolumeByShoal},
      {"volumeProbeLength", format::kVolumeProbeLength},
      {"volumeHasPieces", format::kVolumeHasPieces},
      {"codecNone", format::kCodecNone},
      {"codecZstd", format::kCodecZstd},
      {"pieceLength", format::kPieceLength},
      {"minFrameLength", format::kMinFrameLength},
      {"maxFrameLength", format::kMaxFrameLength},
      {"frameLength", format::kFrameLength},
      {"maxFrameGrowth", format::kMaxFrameGrowth},
  };
  for (const auto& [name, value] : numbers) constants.Set(name, value);
  exports.Set("formatConstants", constants);

  Napi::Array codes = Napi::Array::New(env);
  for (int code = static_cast<int>(Code::kUsage); code <= static_cast<int>(Code::kInternal); code++) {
    codes.Set(codes.Length(), CodeName(static_cast<Code>(code)));
  }
  exports.Set("codes", codes);
}

}  // namespace shoal::addon
