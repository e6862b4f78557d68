#pragma once

#include <napi.h>

namespace ringmq {

Napi::Value openFileCall(const Napi::CallbackInfo& info);
napi_value readFileCall(napi_env env, napi_callback_info info);
napi_value writeFileCall(napi_env env, napi_callback_info info);
Napi::Value fileSizeCall(const Napi::CallbackInfo& info);
Napi::Value syncDirtyFilesCall(const Napi::CallbackInfo& info);
Napi::Value closeFileCall(const Napi::CallbackInfo& info);
Napi::Value setFileCacheLimitCall(const Napi::CallbackInfo& info);

}  // namespace ringmq
