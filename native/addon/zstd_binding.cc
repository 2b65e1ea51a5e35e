// zstdDecompress, for the TypeScript reader, and zstdEncode.
#include <algorithm>

#include "addon/bridge.h"
#include "core/seek_table.h"
#include "core/zstd_frame.h"
#include "pack/compression_sample.h"
#include "pack/frame_encoder.h"
#include "pack/volume_frame.h"

namespace shoal::addon {
namespace {

Bytes ToView(const Napi::Value& value) {
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array) {
    throw Napi::TypeError::New(value.Env(), "expected a Uint8Array");
  }
  auto bytes = value.As<Napi::Uint8Array>();
  return {bytes.Data(), bytes.ByteLength()};
}

void ThrowIfError(Napi::Env env, const Status& status) {
  if (!status.ok()) throw ToError(env, status);
}

// zstdDecompress(frame, into)
Napi::Value Decompress(const Napi::CallbackInfo& info) {
  const Bytes frame = ToView(info[0]);
  const Bytes into = ToView(info[1]);
  ThrowIfError(info.Env(), DecompressFrame(frame.data, frame.size, const_cast<uint8_t*>(into.data), into.size));
  return info.Env().Undefined();
}

// zstdEncode(plain, frameLength, level)
Napi::Value Encode(const Napi::CallbackInfo& info) {
  const Bytes plain = ToView(info[0]);
  const size_t frame_length = static_cast<size_t>(FrameLengthOf(plain.size, info[1].As<Napi::Number>().Uint32Value()));
  std::unique_ptr<FrameEncoder> encoder;
  ThrowIfError(info.Env(), FrameEncoder::Create(info[2].As<Napi::Number>().Int32Value(), &encoder));
  CompressionSample sample;
  std::string file;
  std::vector<uint64_t> offsets = {0};
  for (size_t at = 0; at < plain.size; at += frame_length) {
    const size_t size = std::min(frame_length, plain.size - at);
    Bytes frame;
    if (at == 0) {
      ThrowIfError(info.Env(), encoder->EncodeFirst(plain.data, size, kVolumeHeadLength, &frame));
    } else {
      ThrowIfError(info.Env(), encoder->Encode(plain.data + at, size, &frame));
    }
    file.append(reinterpret_cast<const char*>(frame.data), frame.size);
    offsets.push_back(file.size());
    ThrowIfError(info.Env(), sample.Add(plain.data + at, size));
  }
  std::string table;
  ThrowIfError(info.Env(), EncodeSeekTable(offsets, plain.size, frame_length, &table));
  Napi::Object result = Napi::Object::New(info.Env());
  result.Set("bytes", ToBuffer(info.Env(), file + table));
  result.Set("plainLength", static_cast<double>(plain.size));
  result.Set("frameLength", static_cast<double>(frame_length));
  result.Set("offsets", ToColumn<Napi::Float64Array>(info.Env(), offsets));
  result.Set("pays", sample.Pays());
  return result;
}

}  // namespace

void ExportZstd(Napi::Env env, Napi::Object exports) {
  exports.Set("zstdDecompress", Napi::Function::New(env, Decompress));
  exports.Set("zstdEncode", Napi::Function::New(env, Encode));
}

}  // namespace shoal::addon
