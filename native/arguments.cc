#include "arguments.h"

namespace ringmq {

namespace {
constexpr double kMaxSafeInteger = 9007199254740991.0;
}

bool readOffset(napi_env env, napi_value value, uint64_t* offset) {
  double number = 0;
  if (napi_get_value_double(env, value, &number) != napi_ok) return false;
  // NaN fails the first comparison.
  if (!(number >= 0 && number <= kMaxSafeInteger)) return false;
  *offset = static_cast<uint64_t>(number);
  return static_cast<double>(*offset) == number;
}

bool readPath(napi_env env, napi_value value, std::string* path) {
  size_t length = 0;
  if (napi_get_value_string_utf8(env, value, nullptr, 0, &length) != napi_ok || length == 0) return false;
  path->resize(length + 1);
  if (napi_get_value_string_utf8(env, value, path->data(), length + 1, &length) != napi_ok) return false;
  path->resize(length);
  // The system would take the text up to the NUL for the path.
  return path->find('\0') == std::string::npos;
}

bool readBytes(napi_env env, napi_value value, Bytes* bytes) {
  napi_typedarray_type type;
  size_t length = 0;
  void* data = nullptr;
  if (napi_get_typedarray_info(env, value, &type, &length, &data, nullptr, nullptr) != napi_ok) return false;
  if (type != napi_uint8_array && type != napi_uint8_clamped_array) return false;
  *bytes = {static_cast<uint8_t*>(data), length};
  return true;
}

napi_value toNumber(napi_env env, int64_t number) {
  napi_value result = nullptr;
  napi_create_int64(env, number, &result);
  return result;
}

}  // namespace ringmq
