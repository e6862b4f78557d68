// The processor that a thread runs on.
#pragma once

#include <node_api.h>

namespace ringmq {

napi_value yieldProcessorCall(napi_env env, napi_callback_info info);

}  // namespace ringmq
