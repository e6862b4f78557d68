// The processor that a thread runs on, and the name by which the system's tools show it.
#pragma once

#include <napi.h>
#include <node_api.h>

namespace ringmq {

napi_value yieldProcessorCall(napi_env env, napi_callback_info info);
Napi::Value nameThreadCall(const Napi::CallbackInfo& info);

}  // namespace ringmq
