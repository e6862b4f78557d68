// What goes out on a connection, and answers to requests, written in place: in kind, JSON or binary.
#pragma once

#include <cstdint>
#include <string_view>

#include "wire.h"

namespace limit {

/// Bytes that wait to be sent. Positions count all bytes that there ever were.
class Output {
 public:
  Output() = default;
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;
  ~Output() { free(bytes_); }

  /// Room for so many bytes behind the last ones.
  uint8_t* reserve(size_t most);
  /// That much of the room was used.
  void append(size_t length) { to_ += length; }
  /// End of all that was appended.
  uint64_t end() const { return before_ + to_; }
  /// What was sent so far.
  uint64_t sent() const { return before_ + from_; }
  size_t waiting() const { return to_ - from_; }
  /// Writes up to that position, as far as the socket takes it. False: the connection has failed.
  bool send(int descriptor, uint64_t upTo);

 private:
  uint8_t* bytes_ = nullptr;
  size_t capacity_ = 0;
  size_t from_ = 0;
  size_t to_ = 0;
  /// Bytes that were there before the buffer's first one.
  uint64_t before_ = 0;
};

/// One answer: construct, add fields, finish.
class Answer {
 public:
  /// `room`: bytes for all fields with their names, and the body.
  Answer(Output& output, bool json, int code, uint32_t opaque, std::string_view remark, size_t room);

  void field(std::string_view name, uint64_t value);
  void field(std::string_view name, std::string_view value);
  /// A field whose value is written by the caller: begin, then move `at` on, then end.
  void beginField(std::string_view name);
  void endField();
  /// Ends the header; `at` is then where the body goes.
  void endHeader();
  /// Everything up to `at` is the answer.
  void finish();

  uint8_t* at;

 private:
  Output& output_;
  uint8_t* start_;
  uint8_t* fields_ = nullptr;
  uint8_t* value_ = nullptr;
  uint32_t opaque_;
  std::string_view remark_;
  bool json_;
};

}  // namespace limit
