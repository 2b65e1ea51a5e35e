#include "core/zstd_frame.h"

#include <zstd.h>

#include <cerrno>
#include <memory>
#include <string>

namespace shoal {
namespace {

struct FreeContext {
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

ZSTD_DCtx* ContextOfThread() {
  static thread_local std::unique_ptr<ZSTD_DCtx, FreeContext> context;
  if (context == nullptr) context.reset(ZSTD_createDCtx());
  return context.get();
}

Status Damaged(size_t length, const std::string& found) {
  return Status(Code::kChecksum, "expected a zstd frame of " + std::to_string(length) + " bytes, found " + found +
                                     "; the volume is damaged: copy it anew");
}

}  // namespace

Status DecompressFrame(const uint8_t* from, size_t size, uint8_t* to, size_t length) {
  const unsigned long long content = ZSTD_getFrameContentSize(from, size);
  if (content == ZSTD_CONTENTSIZE_ERROR) return Damaged(length, "no zstd frame");
  if (content == ZSTD_CONTENTSIZE_UNKNOWN) return Damaged(length, "one that does not say its length");
  if (content != length) return Damaged(length, "one of " + std::to_string(content));
  // Several frames would decompress as one, too.
  if (ZSTD_findFrameCompressedSize(from, size) != size) return Damaged(length, "one that ends elsewhere");
  ZSTD_DCtx* const context = ContextOfThread();
  if (context == nullptr) return Status::FromErrno("cannot get memory to decompress with", "", ENOMEM);
  const size_t got = ZSTD_decompressDCtx(context, to, length, from, size);
  if (got == length) return Status();
  return Damaged(length, std::string("a damaged one (") + ZSTD_getErrorName(got) + ")");
}

}  // namespace shoal
