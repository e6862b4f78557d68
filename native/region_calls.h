#pragma once

#include <napi.h>

namespace ringmq {

Napi::Value allocateRegionCall(const Napi::CallbackInfo& info);
Napi::Value openSegmentCall(const Napi::CallbackInfo& info);
Napi::Value openSegmentForReadingCall(const Napi::CallbackInfo& info);
Napi::Value prepareSegmentCall(const Napi::CallbackInfo& info);
Napi::Value closeRegionCall(const Napi::CallbackInfo& info);
Napi::Value regionReferencesCall(const Napi::CallbackInfo& info);
Napi::Value syncRegionCall(const Napi::CallbackInfo& info);
napi_value regionErrorCall(napi_env env, napi_callback_info info);
napi_value regionErrorInCall(napi_env env, napi_callback_info info);
Napi::Value adviseRegionCall(const Napi::CallbackInfo& info);
napi_value residentPagesCall(napi_env env, napi_callback_info info);
Napi::Value populateRegionCall(const Napi::CallbackInfo& info);
Napi::Value reserveRegionCall(const Napi::CallbackInfo& info);
Napi::Value reserveRegionAheadCall(const Napi::CallbackInfo& info);

}  // namespace ringmq
