// The hot calls on regions: no lock, no allocation, some nanoseconds of overhead.
#pragma once

#include <node_api.h>

namespace ringmq {

napi_value copyCall(napi_env env, napi_callback_info info);
napi_value copyWithCrcCall(napi_env env, napi_callback_info info);
napi_value appendToRegionCall(napi_env env, napi_callback_info info);
napi_value crcOfRegionCall(napi_env env, napi_callback_info info);
napi_value crcOfBytesCall(napi_env env, napi_callback_info info);

}  // namespace ringmq
