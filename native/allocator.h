// How the process's heap gives memory back.
#pragma once

#include <napi.h>

namespace ringmq {

Napi::Value returnLargeBlocksCall(const Napi::CallbackInfo& info);
Napi::Value trimHeapCall(const Napi::CallbackInfo& info);

}  // namespace ringmq
