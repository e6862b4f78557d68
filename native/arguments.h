// Reads the arguments of one call from JavaScript, and answers it.
//
// Reading never throws by itself: a value of the wrong kind, an unknown region or a range outside of its memory only
// marks the arguments as invalid, so that a call reads all it needs, asks once, and has touched nothing by then.
#pragma once

#include <node_api.h>

#include <cstddef>
#include <cstdint>
#include <string>

#include "region.h"

namespace ringmq {

struct Bytes {
  uint8_t* data = nullptr;
  uint64_t size = 0;
};

bool readOffset(napi_env env, napi_value value, uint64_t* offset);
bool readPath(napi_env env, napi_value value, std::string* path);
bool readBytes(napi_env env, napi_value value, Bytes* bytes);

inline bool fits(uint64_t offset, uint64_t length, uint64_t size) {
  return length <= size && offset <= size - length;
}

template <size_t Count>
class Arguments {
 public:
  Arguments(napi_env env, napi_callback_info info) : env_(env) {
    size_t count = Count;
    napi_get_cb_info(env, info, &count, values_, nullptr, nullptr);
  }

  napi_value value(size_t index) const { return values_[index]; }

  int32_t integer(size_t index) {
    int32_t number = 0;
    valid_ &= napi_get_value_int32(env_, values_[index], &number) == napi_ok;
    return number;
  }

  /// A whole number from 0 up to 2^53.
  uint64_t offset(size_t index) {
    uint64_t number = 0;
    valid_ &= readOffset(env_, values_[index], &number);
    return number;
  }

  bool boolean(size_t index) {
    bool flag = false;
    valid_ &= napi_get_value_bool(env_, values_[index], &flag) == napi_ok;
    return flag;
  }

  std::string path(size_t index) {
    std::string text;
    valid_ &= readPath(env_, values_[index], &text);
    return text;
  }

  Bytes bytes(size_t index) {
    Bytes view;
    valid_ &= readBytes(env_, values_[index], &view);
    return view;
  }

  Region* region(size_t index) {
    Region* region = findRegion(integer(index));
    valid_ &= region != nullptr;
    return region;
  }

  void require(bool condition) { valid_ &= condition; }

  void requireRange(const Region* region, uint64_t offset, uint64_t length) {
    valid_ &= region != nullptr && fits(offset, length, region->size);
  }

  bool valid() const { return valid_; }

  /// Throws the RangeError of a misused call.
  napi_value reject(const char* message) const {
    napi_throw_range_error(env_, "ERR_OUT_OF_RANGE", message);
    return nullptr;
  }

 private:
  napi_env env_;
  napi_value values_[Count];
  bool valid_ = true;
};

napi_value toNumber(napi_env env, int64_t number);

}  // namespace ringmq
