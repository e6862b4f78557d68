#include "allocator.h"

#include <malloc.h>

#include <cerrno>

#include "arguments.h"
#include "pool_job.h"

namespace ringmq {

Napi::Value returnLargeBlocksCall(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  const int32_t bytes = arguments.integer(0);
  if (!arguments.valid() || bytes <= 0) return arguments.reject("returnLargeBlocks: needs a size in bytes");
#ifdef __GLIBC__
  // Without this, glibc raises both thresholds, up to 64 MiB, with every mapped block that is freed.
  const bool set = mallopt(M_MMAP_THRESHOLD, bytes) == 1 && mallopt(M_TRIM_THRESHOLD, bytes) == 1;
  return arguments.answer(set ? 0 : -EINVAL);
#else
  return arguments.answer(0);
#endif
}

Napi::Value trimHeapCall(const Napi::CallbackInfo& info) {
  return runInPool(info.Env(), "trimHeap", []() -> int64_t {
#ifdef __GLIBC__
    return malloc_trim(0);
#else
    return 0;
#endif
  });
}

}  // namespace ringmq
