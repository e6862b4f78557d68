// Calls on whole files and descriptors, off the hot path.
#pragma once

#include <node_api.h>

namespace ringmq {

napi_value zeroFileRangeCall(napi_env env, napi_callback_info info);
napi_value syncDirectoryCall(napi_env env, napi_callback_info info);
napi_value lockFileCall(napi_env env, napi_callback_info info);
napi_value unlockFileCall(napi_env env, napi_callback_info info);
napi_value dropFileCacheCall(napi_env env, napi_callback_info info);
napi_value duplicateDescriptorCall(napi_env env, napi_callback_info info);

}  // namespace ringmq
