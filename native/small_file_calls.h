#pragma once

#include <node_api.h>

namespace ringmq {

napi_value openFileCall(napi_env env, napi_callback_info info);
napi_value readFileCall(napi_env env, napi_callback_info info);
napi_value writeFileCall(napi_env env, napi_callback_info info);
napi_value fileSizeCall(napi_env env, napi_callback_info info);
napi_value syncFileCall(napi_env env, napi_callback_info info);
napi_value syncDirtyFilesCall(napi_env env, napi_callback_info info);
napi_value closeFileCall(napi_env env, napi_callback_info info);
napi_value setFileCacheLimitCall(napi_env env, napi_callback_info info);

}  // namespace ringmq
