// Reads the arguments of one call from JavaScript, and answers it. HotArguments are the same for the calls of the hot
// path; README.md says why there are two.
//
// Reading never throws by itself: a value of the wrong kind, an unknown region or a range outside of its memory only
// marks the arguments as invalid, so that a call reads all it needs, asks once, and has touched nothing by then.
#pragma once

#include <napi.h>

#include <cstddef>
#include <cstdint>
#include <string>

#include "region.h"

namespace ringmq {

/// Whether the number is a whole one from 0 up to 2^53.
bool toOffset(double number, uint64_t* offset);

inline bool fits(uint64_t offset, uint64_t length, uint64_t size) {
  return length <= size && offset <= size - length;
}

/// Throws the RangeError of a misused call.
void throwMisuse(napi_env env, const char* message);

class Arguments {
 public:
  explicit Arguments(const Napi::CallbackInfo& info) : info_(info) {}

  int32_t integer(size_t index);
  /// A whole number from 0 up to 2^53.
  uint64_t offset(size_t index);
  /// Any whole number.
  int64_t wholeNumber(size_t index);
  bool boolean(size_t index);
  /// Text that the system may take for a path.
  std::string path(size_t index);
  Napi::Function function(size_t index);

  void require(bool condition) { valid_ &= condition; }
  void requireRange(const Region* region, uint64_t offset, uint64_t length) {
    valid_ &= region != nullptr && fits(offset, length, region->size);
  }
  bool valid() const { return valid_; }

  Napi::Value answer(int64_t number) const;
  /// Throws the RangeError of a misused call.
  Napi::Value reject(const char* message) const;

 private:
  const Napi::CallbackInfo& info_;
  bool valid_ = true;
};

}  // namespace ringmq
