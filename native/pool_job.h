// Runs work in libuv's thread pool and answers with a promise.
#pragma once

#include <napi.h>

#include <cstdint>
#include <functional>

namespace ringmq {

/// The promise resolves with the number that `work` returns. `work` runs on a pool thread and must not use Node-API.
Napi::Value runInPool(Napi::Env env, const char* name, std::function<int64_t()> work);

}  // namespace ringmq
