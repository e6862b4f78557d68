#include "small_file_calls.h"

#include <cerrno>
#include <string>

#include "arguments.h"
#include "file_cache.h"
#include "pool_job.h"

namespace ringmq {

namespace {

/// The cache answers -EBADF for an id that it does not know, which is misuse.
template <size_t Count>
napi_value answer(napi_env env, const Arguments<Count>& arguments, int64_t result, const char* misuse) {
  return result == -EBADF ? arguments.reject(misuse) : toNumber(env, result);
}

struct Transfer {
  int32_t file;
  uint64_t fileOffset;
  uint8_t* bytes;
  uint64_t length;
};

Transfer readTransfer(Arguments<5>& arguments) {
  const int32_t file = arguments.integer(0);
  const uint64_t fileOffset = arguments.offset(1);
  const Bytes bytes = arguments.bytes(2);
  const uint64_t bytesOffset = arguments.offset(3);
  const uint64_t length = arguments.offset(4);
  arguments.require(fits(bytesOffset, length, bytes.size));
  return {file, fileOffset, bytes.data + bytesOffset, length};
}

}  // namespace

napi_value openFileCall(napi_env env, napi_callback_info info) {
  Arguments<2> arguments(env, info);
  const std::string path = arguments.path(0);
  int64_t bytes = 0;
  arguments.require(napi_get_value_int64(env, arguments.value(1), &bytes) == napi_ok);
  if (!arguments.valid()) return arguments.reject("openFile: needs path, bytes");
  return toNumber(env, FileCache::shared().open(path, bytes));
}

napi_value readFileCall(napi_env env, napi_callback_info info) {
  constexpr const char* kMisuse = "readFile: unknown file, or range outside of the target";
  Arguments<5> arguments(env, info);
  const Transfer transfer = readTransfer(arguments);
  if (!arguments.valid()) return arguments.reject(kMisuse);
  const int64_t result =
      FileCache::shared().read(transfer.file, transfer.fileOffset, transfer.bytes, transfer.length);
  return answer(env, arguments, result, kMisuse);
}

napi_value writeFileCall(napi_env env, napi_callback_info info) {
  constexpr const char* kMisuse = "writeFile: unknown file, or range outside of the source";
  Arguments<5> arguments(env, info);
  const Transfer transfer = readTransfer(arguments);
  if (!arguments.valid()) return arguments.reject(kMisuse);
  const int64_t result =
      FileCache::shared().write(transfer.file, transfer.fileOffset, transfer.bytes, transfer.length);
  return answer(env, arguments, result, kMisuse);
}

napi_value fileSizeCall(napi_env env, napi_callback_info info) {
  constexpr const char* kMisuse = "fileSize: unknown file";
  Arguments<1> arguments(env, info);
  const int32_t file = arguments.integer(0);
  if (!arguments.valid()) return arguments.reject(kMisuse);
  return answer(env, arguments, FileCache::shared().size(file), kMisuse);
}

napi_value syncFileCall(napi_env env, napi_callback_info info) {
  constexpr const char* kMisuse = "syncFile: unknown file";
  Arguments<1> arguments(env, info);
  const int32_t file = arguments.integer(0);
  if (!arguments.valid()) return arguments.reject(kMisuse);
  return answer(env, arguments, FileCache::shared().sync(file), kMisuse);
}

napi_value syncDirtyFilesCall(napi_env env, napi_callback_info) {
  return runInPool(env, "syncDirtyFiles", [] { return FileCache::shared().syncDirty(); });
}

napi_value closeFileCall(napi_env env, napi_callback_info info) {
  Arguments<1> arguments(env, info);
  const int32_t file = arguments.integer(0);
  if (!arguments.valid() || !FileCache::shared().close(file)) return arguments.reject("closeFile: unknown file");
  return nullptr;
}

napi_value setFileCacheLimitCall(napi_env env, napi_callback_info info) {
  Arguments<1> arguments(env, info);
  const uint64_t descriptors = arguments.offset(0);
  arguments.require(descriptors > 0);
  if (!arguments.valid()) return arguments.reject("setFileCacheLimit: needs a positive number");
  FileCache::shared().setLimit(descriptors);
  return nullptr;
}

}  // namespace ringmq
