// Wakes the event loop of another thread.
#pragma once

#include <napi.h>

namespace ringmq {

Napi::Value openDoorbellCall(const Napi::CallbackInfo& info);
napi_value ringDoorbellCall(napi_env env, napi_callback_info info);
Napi::Value closeDoorbellCall(const Napi::CallbackInfo& info);

}  // namespace ringmq
