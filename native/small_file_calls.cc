#include "small_file_calls.h"

#include <cerrno>
#include <string>

#include "arguments.h"
#include "file_cache.h"
#include "hot_arguments.h"
#include "pool_job.h"

namespace ringmq {

namespace {

/// The cache answers -EBADF for an id that it does not know, which is misuse.
template <class AnyArguments>
auto answer(const AnyArguments& arguments, int64_t result, const char* misuse) {
  return result == -EBADF ? arguments.reject(misuse) : arguments.answer(result);
}

struct Transfer {
  int32_t file;
  uint64_t fileOffset;
  uint8_t* bytes;
  uint64_t length;
};

Transfer readTransfer(HotArguments<5>& arguments) {
  const int32_t file = arguments.integer(0);
  const uint64_t fileOffset = arguments.offset(1);
  const Bytes bytes = arguments.bytes(2);
  const uint64_t bytesOffset = arguments.offset(3);
  const uint64_t length = arguments.offset(4);
  arguments.require(fits(bytesOffset, length, bytes.size));
  return {file, fileOffset, bytes.data + bytesOffset, length};
}

}  // namespace

Napi::Value openFileCall(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  const std::string path = arguments.path(0);
  const int64_t bytes = arguments.wholeNumber(1);
  if (!arguments.valid()) return arguments.reject("openFile: needs path, bytes");
  return arguments.answer(FileCache::shared().open(path, bytes));
}

napi_value readFileCall(napi_env env, napi_callback_info info) {
  constexpr const char* kMisuse = "readFile: unknown file, or range outside of the target";
  HotArguments<5> arguments(env, info);
  const Transfer transfer = readTransfer(arguments);
  if (!arguments.valid()) return arguments.reject(kMisuse);
  const int64_t result =
      FileCache::shared().read(transfer.file, transfer.fileOffset, transfer.bytes, transfer.length);
  return answer(arguments, result, kMisuse);
}

napi_value writeFileCall(napi_env env, napi_callback_info info) {
  constexpr const char* kMisuse = "writeFile: unknown file, or range outside of the source";
  HotArguments<5> arguments(env, info);
  const Transfer transfer = readTransfer(arguments);
  if (!arguments.valid()) return arguments.reject(kMisuse);
  const int64_t result =
      FileCache::shared().write(transfer.file, transfer.fileOffset, transfer.bytes, transfer.length);
  return answer(arguments, result, kMisuse);
}

Napi::Value fileSizeCall(const Napi::CallbackInfo& info) {
  constexpr const char* kMisuse = "fileSize: unknown file";
  Arguments arguments(info);
  const int32_t file = arguments.integer(0);
  if (!arguments.valid()) return arguments.reject(kMisuse);
  return answer(arguments, FileCache::shared().size(file), kMisuse);
}

Napi::Value syncDirtyFilesCall(const Napi::CallbackInfo& info) {
  return runInPool(info.Env(), "syncDirtyFiles", [] { return FileCache::shared().syncDirty(); });
}

Napi::Value closeFileCall(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  const int32_t file = arguments.integer(0);
  if (!arguments.valid() || !FileCache::shared().close(file)) return arguments.reject("closeFile: unknown file");
  return {};
}

Napi::Value setFileCacheLimitCall(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  const uint64_t descriptors = arguments.offset(0);
  arguments.require(descriptors > 0);
  if (!arguments.valid()) return arguments.reject("setFileCacheLimit: needs a positive number");
  FileCache::shared().setLimit(descriptors);
  return {};
}

}  // namespace ringmq
