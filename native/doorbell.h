// Wakes the event loop of another thread.
#pragma once

#include <node_api.h>

namespace ringmq {

napi_value openDoorbellCall(napi_env env, napi_callback_info info);
napi_value ringDoorbellCall(napi_env env, napi_callback_info info);
napi_value closeDoorbellCall(napi_env env, napi_callback_info info);

}  // namespace ringmq
