// Where threads without event loop sleep until another one wakes them.
#pragma once

#include <node_api.h>

namespace ringmq {

napi_value openParkingCall(napi_env env, napi_callback_info info);
napi_value parkCall(napi_env env, napi_callback_info info);
napi_value unparkCall(napi_env env, napi_callback_info info);

}  // namespace ringmq
