#include "arguments.h"

namespace ringmq {

namespace {
constexpr double kMaxSafeInteger = 9007199254740991.0;
}

bool toOffset(double number, uint64_t* offset) {
  // NaN fails the first comparison.
  if (!(number >= 0 && number <= kMaxSafeInteger)) return false;
  *offset = static_cast<uint64_t>(number);
  return static_cast<double>(*offset) == number;
}

void throwMisuse(napi_env env, const char* message) {
  // The raw call: it fails in silence when the thread is being terminated, where an Error object would abort.
  napi_throw_range_error(env, "ERR_OUT_OF_RANGE", message);
}

int32_t Arguments::integer(size_t index) {
  const Napi::Value value = info_[index];
  require(value.IsNumber());
  return value.IsNumber() ? value.As<Napi::Number>().Int32Value() : 0;
}

uint64_t Arguments::offset(size_t index) {
  const Napi::Value value = info_[index];
  uint64_t number = 0;
  require(value.IsNumber() && toOffset(value.As<Napi::Number>().DoubleValue(), &number));
  return number;
}

int64_t Arguments::wholeNumber(size_t index) {
  const Napi::Value value = info_[index];
  require(value.IsNumber());
  return value.IsNumber() ? value.As<Napi::Number>().Int64Value() : 0;
}

bool Arguments::boolean(size_t index) {
  const Napi::Value value = info_[index];
  require(value.IsBoolean());
  return value.IsBoolean() && value.As<Napi::Boolean>().Value();
}

std::string Arguments::path(size_t index) {
  const Napi::Value value = info_[index];
  if (!value.IsString()) {
    valid_ = false;
    return {};
  }
  const std::string path = value.As<Napi::String>().Utf8Value();
  // The system would take the text up to a NUL for the path.
  require(!path.empty() && path.find('\0') == std::string::npos);
  return path;
}

Napi::Function Arguments::function(size_t index) {
  const Napi::Value value = info_[index];
  require(value.IsFunction());
  return value.As<Napi::Function>();
}

Napi::Value Arguments::answer(int64_t number) const {
  return Napi::Number::New(info_.Env(), static_cast<double>(number));
}

Napi::Value Arguments::reject(const char* message) const {
  throwMisuse(info_.Env(), message);
  return Napi::Value();
}

}  // namespace ringmq
