// Arguments of the calls that the data path makes per message: as Arguments, but on Node-API itself, without a C++
// object for each value.
#pragma once

#include <node_api.h>

#include <cstddef>
#include <cstdint>

#include "arguments.h"
#include "region.h"

namespace ringmq {

struct Bytes {
  uint8_t* data = nullptr;
  uint64_t size = 0;
};

/// The memory of a Uint8Array.
bool readBytes(napi_env env, napi_value value, Bytes* bytes);

template <size_t Count>
class HotArguments {
 public:
  HotArguments(napi_env env, napi_callback_info info) : env_(env) {
    size_t count = Count;
    napi_get_cb_info(env, info, &count, values_, nullptr, nullptr);
  }

  int32_t integer(size_t index) {
    int32_t number = 0;
    valid_ &= napi_get_value_int32(env_, values_[index], &number) == napi_ok;
    return number;
  }

  /// A whole number from 0 up to 2^53.
  uint64_t offset(size_t index) {
    double number = 0;
    uint64_t offset = 0;
    valid_ &= napi_get_value_double(env_, values_[index], &number) == napi_ok && toOffset(number, &offset);
    return offset;
  }

  napi_value value(size_t index) const { return values_[index]; }

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

  napi_value answer(int64_t number) const {
    napi_value result = nullptr;
    napi_create_int64(env_, number, &result);
    return result;
  }

  /// Throws the RangeError of a misused call.
  napi_value reject(const char* message) const {
    throwMisuse(env_, message);
    return nullptr;
  }

 private:
  napi_env env_;
  napi_value values_[Count];
  bool valid_ = true;
};

}  // namespace ringmq
