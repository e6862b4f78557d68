#pragma once

#include <node_api.h>

namespace ringmq {

napi_value allocateRegionCall(napi_env env, napi_callback_info info);
napi_value openSegmentCall(napi_env env, napi_callback_info info);
napi_value prepareSegmentCall(napi_env env, napi_callback_info info);
napi_value attachCall(napi_env env, napi_callback_info info);
napi_value detachCall(napi_env env, napi_callback_info info);
napi_value closeRegionCall(napi_env env, napi_callback_info info);
napi_value neutralizeRegionCall(napi_env env, napi_callback_info info);
napi_value regionReferencesCall(napi_env env, napi_callback_info info);
napi_value syncRegionCall(napi_env env, napi_callback_info info);
napi_value regionErrorCall(napi_env env, napi_callback_info info);
napi_value adviseRegionCall(napi_env env, napi_callback_info info);
napi_value residentPagesCall(napi_env env, napi_callback_info info);
napi_value populateRegionCall(napi_env env, napi_callback_info info);

}  // namespace ringmq
