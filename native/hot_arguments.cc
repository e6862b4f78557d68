#include "hot_arguments.h"

namespace ringmq {

bool readBytes(napi_env env, napi_value value, Bytes* bytes) {
  napi_typedarray_type type;
  size_t length = 0;
  void* data = nullptr;
  if (napi_get_typedarray_info(env, value, &type, &length, &data, nullptr, nullptr) != napi_ok) return false;
  if (type != napi_uint8_array && type != napi_uint8_clamped_array) return false;
  *bytes = {static_cast<uint8_t*>(data), length};
  return true;
}

}  // namespace ringmq
