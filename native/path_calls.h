// Calls on whole files and descriptors, off the hot path.
#pragma once

#include <napi.h>

namespace ringmq {

Napi::Value zeroFileRangeCall(const Napi::CallbackInfo& info);
Napi::Value firstDataCall(const Napi::CallbackInfo& info);
Napi::Value syncDirectoryCall(const Napi::CallbackInfo& info);
Napi::Value lockFileCall(const Napi::CallbackInfo& info);
Napi::Value unlockFileCall(const Napi::CallbackInfo& info);
Napi::Value dropFileCacheCall(const Napi::CallbackInfo& info);
Napi::Value duplicateDescriptorCall(const Napi::CallbackInfo& info);

}  // namespace ringmq
