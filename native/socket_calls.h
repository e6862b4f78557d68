// Sending from mapped memory.
#pragma once

#include <node_api.h>

namespace ringmq {

napi_value sendGatheredCall(napi_env env, napi_callback_info info);

}  // namespace ringmq
