#pragma once

#include <napi.h>

namespace ringmq {

Napi::Value installFaultGuardCall(const Napi::CallbackInfo& info);

}  // namespace ringmq
