#include "output.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

namespace limit {

namespace {

constexpr size_t kSmallestBuffer = 64 << 10;
/// A header without its fields, and the two length words.
constexpr size_t kHeaderRoom = 256;
constexpr size_t kPrefix = 8;
constexpr uint16_t kVersion = 513;
constexpr std::string_view kVersionText = R"(,"serializeTypeCurrentRPC":"JSON","version":513})";

}  // namespace

uint8_t* Output::reserve(size_t most) {
  if (to_ + most > capacity_ && from_ > 0) {
    memmove(bytes_, bytes_ + from_, waiting());
    before_ += from_;
    to_ -= from_;
    from_ = 0;
  }
  if (to_ + most > capacity_) {
    capacity_ = std::max({to_ + most, capacity_ * 2, kSmallestBuffer});
    bytes_ = static_cast<uint8_t*>(realloc(bytes_, capacity_));
    if (bytes_ == nullptr) fail("no memory");
  }
  return bytes_ + to_;
}

bool Output::send(int descriptor, uint64_t upTo) {
  while (sent() < upTo) {
    const size_t length = static_cast<size_t>(upTo - sent());
    const ssize_t written = ::send(descriptor, bytes_ + from_, length, MSG_NOSIGNAL);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno == EAGAIN;
    from_ += static_cast<size_t>(written);
  }
  if (from_ == to_) {
    before_ += from_;
    from_ = to_ = 0;
  }
  return true;
}

Answer::Answer(Output& output, bool json, int code, uint32_t opaque, std::string_view remark, size_t room)
    : output_(output), opaque_(opaque), remark_(remark), json_(json) {
  start_ = output.reserve(kHeaderRoom + remark.size() + room);
  at = start_ + kPrefix;
  if (json) {
    at = putText(at, R"({"code":)");
    at = putDecimal(at, static_cast<uint64_t>(code));
    at = putText(at, R"(,"extFields":{)");
    fields_ = at;
    return;
  }
  // code 2, language 1 (JAVA), version 2, opaque 4, flag 4 (an answer), remark, length of the fields 4
  put16(at, static_cast<uint16_t>(code));
  at[2] = 0;
  put16(at + 3, kVersion);
  put32(at + 5, opaque);
  put32(at + 9, 1);
  put32(at + 13, static_cast<uint32_t>(remark.size()));
  at = putText(at + 17, remark) + 4;
  fields_ = at;
}

void Answer::beginField(std::string_view name) {
  if (json_) {
    if (at != fields_) *at++ = ',';
    *at++ = '"';
    at = putText(putText(at, name), R"(":")");
    return;
  }
  put16(at, static_cast<uint16_t>(name.size()));
  at = putText(at + 2, name) + 4;
  value_ = at;
}

void Answer::endField() {
  if (json_)
    *at++ = '"';
  else
    put32(value_ - 4, static_cast<uint32_t>(at - value_));
}

void Answer::field(std::string_view name, uint64_t value) {
  beginField(name);
  at = putDecimal(at, value);
  endField();
}

void Answer::field(std::string_view name, std::string_view value) {
  beginField(name);
  at = putText(at, value);
  endField();
}

void Answer::endHeader() {
  if (json_) {
    at = putDecimal(putText(at, R"(},"flag":1,"language":"JAVA","opaque":)"), opaque_);
    if (!remark_.empty()) {
      at = putText(putText(at, R"(,"remark":")"), remark_);
      *at++ = '"';
    }
    at = putText(at, kVersionText);
  } else {
    put32(fields_ - 4, static_cast<uint32_t>(at - fields_));
  }
  put32(start_ + 4, (json_ ? 0u : 1u << 24) | static_cast<uint32_t>(at - start_ - kPrefix));
}

void Answer::finish() {
  put32(start_, static_cast<uint32_t>(at - start_ - 4));
  output_.append(static_cast<size_t>(at - start_));
}

}  // namespace limit
