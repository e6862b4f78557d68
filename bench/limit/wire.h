// Numbers as the protocol and the store have them: big-endian, decimal or hexadecimal text; and bytes that
// lie elsewhere.
#pragma once

#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace limit {

inline constexpr uint8_t kNothing[1] = {};

/// Bytes of a request, where they lie; none where a field is absent.
struct Text {
  const uint8_t* at = kNothing;
  uint32_t length = 0;

  std::string_view view() const { return {reinterpret_cast<const char*>(at), length}; }
};

inline uint16_t get16(const uint8_t* from) {
  uint16_t value;
  memcpy(&value, from, sizeof value);
  return __builtin_bswap16(value);
}

inline uint32_t get32(const uint8_t* from) {
  uint32_t value;
  memcpy(&value, from, sizeof value);
  return __builtin_bswap32(value);
}

inline uint64_t get64(const uint8_t* from) {
  uint64_t value;
  memcpy(&value, from, sizeof value);
  return __builtin_bswap64(value);
}

inline void put16(uint8_t* to, uint16_t value) {
  value = __builtin_bswap16(value);
  memcpy(to, &value, sizeof value);
}

inline void put32(uint8_t* to, uint32_t value) {
  value = __builtin_bswap32(value);
  memcpy(to, &value, sizeof value);
}

inline void put64(uint8_t* to, uint64_t value) {
  value = __builtin_bswap64(value);
  memcpy(to, &value, sizeof value);
}

/// Longest decimal text of 64 bits.
constexpr size_t kDecimalBytes = 20;

/// Returns the end of what was written.
inline uint8_t* putDecimal(uint8_t* to, uint64_t value) {
  char* text = reinterpret_cast<char*>(to);
  return reinterpret_cast<uint8_t*>(std::to_chars(text, text + kDecimalBytes, value).ptr);
}

inline uint8_t* putText(uint8_t* to, std::string_view text) {
  memcpy(to, text.data(), text.size());
  return to + text.size();
}

/// Upper case, as many digits as asked for.
inline uint8_t* putHex(uint8_t* to, uint64_t value, int digits) {
  for (int place = digits - 1; place >= 0; place -= 1, value >>= 4)
    to[place] = "0123456789ABCDEF"[value & 15];
  return to + digits;
}

/// The number that a text begins with; 0 for none.
inline uint64_t decimalOf(const Text& text) {
  uint64_t value = 0;
  for (uint32_t place = 0; place < text.length && static_cast<uint8_t>(text.at[place] - '0') < 10; place += 1)
    value = value * 10 + (text.at[place] - '0');
  return value;
}

/// What the system refuses ends the program: a yardstick that goes on in some other way measures nothing.
[[noreturn]] inline void fail(const char* what) {
  perror(what);
  _Exit(1);
}

}  // namespace limit
