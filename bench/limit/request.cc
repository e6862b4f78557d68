#include "request.h"

#include <algorithm>

namespace limit {

namespace {

constexpr uint32_t kHeaderWord = 4;
constexpr uint32_t kBinaryFixed = 21;
constexpr uint32_t kOneWay = 2;
constexpr std::string_view kCode = R"({"code":)";
constexpr std::string_view kAnyCode = R"("code":)";
constexpr std::string_view kOpaque = R"("opaque":)";
constexpr std::string_view kFlagName = R"("flag":)";

bool standsAt(const Text& text, uint32_t at, std::string_view part) {
  return at + part.size() <= text.length && memcmp(text.at + at, part.data(), part.size()) == 0;
}

/// Place of the part, or the text's length.
uint32_t search(const Text& text, std::string_view part) {
  const void* found = memmem(text.at, text.length, part.data(), part.size());
  return found == nullptr ? text.length : static_cast<uint32_t>(static_cast<const uint8_t*>(found) - text.at);
}

/// The number behind a part of a JSON header; false when the part is not there.
bool numberBehind(const Text& header, uint32_t at, std::string_view part, uint32_t& value) {
  if (at >= header.length) return false;
  const uint32_t from = at + static_cast<uint32_t>(part.size());
  value = static_cast<uint32_t>(decimalOf({header.at + from, header.length - from}));
  return true;
}

/// Length of a JSON string that begins at `from` behind its quote, escapes as they are; false: it has no end.
bool stringLength(const Text& header, uint32_t from, uint32_t& length) {
  for (uint32_t at = from; at < header.length; at += 1) {
    const void* quote = memchr(header.at + at, '"', header.length - at);
    if (quote == nullptr) return false;
    at = static_cast<uint32_t>(static_cast<const uint8_t*>(quote) - header.at);
    uint32_t escapes = 0;
    while (at - escapes > from && header.at[at - escapes - 1] == '\\') escapes += 1;
    if (escapes % 2 != 0) continue;
    length = at - from;
    return true;
  }
  return false;
}

uint32_t hexDigit(uint8_t digit) {
  return digit <= '9' ? (digit - '0') & 15u : ((digit & 0xdf) - 'A' + 10) & 15u;
}

uint8_t* putUtf8(uint8_t* to, uint32_t unit) {
  if (unit < 0x80) {
    *to++ = static_cast<uint8_t>(unit);
  } else if (unit < 0x800) {
    *to++ = static_cast<uint8_t>(0xc0 | unit >> 6);
    *to++ = static_cast<uint8_t>(0x80 | (unit & 63));
  } else {
    *to++ = static_cast<uint8_t>(0xe0 | unit >> 12);
    *to++ = static_cast<uint8_t>(0x80 | (unit >> 6 & 63));
    *to++ = static_cast<uint8_t>(0x80 | (unit & 63));
  }
  return to;
}

uint8_t shortEscape(uint8_t letter) {
  constexpr std::string_view kLetters = "bfnrt";
  const size_t at = kLetters.find(static_cast<char>(letter));
  return at == std::string_view::npos ? letter : static_cast<uint8_t>("\b\f\n\r\t"[at]);
}

}  // namespace

bool Request::read(const uint8_t* frame, uint32_t length, Hints& hints) {
  if (length < kHeaderWord) return false;
  const uint32_t word = get32(frame);
  const uint32_t headerLength = word & 0xffffff;
  if (headerLength > length - kHeaderWord || word >> 24 > 1) return false;
  json = word >> 24 == 0;
  header_ = {frame + kHeaderWord, headerLength};
  body = {header_.at + headerLength, length - kHeaderWord - headerLength};
  return json ? readJson(hints) : readBinary();
}

bool Request::readJson(Hints& hints) {
  uint32_t number;
  if (!numberBehind(header_, standsAt(header_, 0, kCode) ? 1 : search(header_, kAnyCode), kAnyCode, number))
    return false;
  code = static_cast<int>(number);
  uint32_t at = header_.length - std::min(hints.opaqueFromEnd, header_.length);
  if (!standsAt(header_, at, kOpaque)) {
    at = search(header_, kOpaque);
    hints.opaqueFromEnd = header_.length - at;
  }
  return numberBehind(header_, at, kOpaque, opaque);
}

bool Request::readBinary() {
  if (header_.length < kBinaryFixed) return false;
  code = get16(header_.at);
  opaque = get32(header_.at + 5);
  flag_ = get32(header_.at + 9);
  const uint32_t remark = get32(header_.at + 13);
  if (remark > header_.length - kBinaryFixed) return false;
  fields_ = {header_.at + kBinaryFixed + remark, get32(header_.at + kBinaryFixed - 4 + remark)};
  return fields_.length <= header_.length - kBinaryFixed - remark;
}

bool Request::oneWay() const {
  uint32_t flag = flag_;
  if (json && !numberBehind(header_, search(header_, kFlagName), kFlagName, flag)) return false;
  return (flag & kOneWay) != 0;
}

bool Request::findJson(const std::string_view* names, Text* found, uint32_t* hints, size_t count) const {
  for (size_t name = 0; name < count; name += 1) {
    if (!standsAt(header_, hints[name], names[name])) {
      const uint32_t at = search(header_, names[name]);
      if (at == header_.length) continue;
      hints[name] = at;
    }
    const uint32_t from = hints[name] + static_cast<uint32_t>(names[name].size());
    if (!stringLength(header_, from, found[name].length)) return false;
    found[name].at = header_.at + from;
  }
  return true;
}

bool Request::findBinary(const std::string_view* names, Text* found, size_t count) const {
  // a field is: length of its name 2, name, length of its value 4, value
  for (uint32_t at = 0; at < fields_.length;) {
    if (fields_.length - at < 2) return false;
    const uint32_t nameLength = get16(fields_.at + at);
    const uint8_t* name = fields_.at + at + 2;
    if (fields_.length - at - 2 < nameLength + 4) return false;
    const uint32_t valueLength = get32(name + nameLength);
    at += 6 + nameLength;
    if (valueLength > fields_.length - at) return false;
    for (size_t wanted = 0; wanted < count; wanted += 1) {
      // without the quotes and the colon
      const std::string_view bare = names[wanted].substr(1, names[wanted].size() - 4);
      if (bare.size() != nameLength || memcmp(bare.data(), name, nameLength) != 0) continue;
      found[wanted] = {fields_.at + at, valueLength};
      break;
    }
    at += valueLength;
  }
  return true;
}

uint32_t unescape(const Text& text, uint8_t* to) {
  const uint8_t* from = text.at;
  const uint8_t* const end = text.at + text.length;
  uint8_t* out = to;
  while (from < end) {
    const void* found = memchr(from, '\\', static_cast<size_t>(end - from));
    const uint8_t* escape = found == nullptr ? end : static_cast<const uint8_t*>(found);
    memcpy(out, from, static_cast<size_t>(escape - from));
    out += escape - from;
    if (end - escape < 2) break;
    if (escape[1] == 'u' && end - escape >= 6) {
      uint32_t unit = 0;
      for (int digit = 2; digit < 6; digit += 1) unit = unit << 4 | hexDigit(escape[digit]);
      out = putUtf8(out, unit);
      from = escape + 6;
    } else {
      *out++ = shortEscape(escape[1]);
      from = escape + 2;
    }
  }
  return static_cast<uint32_t>(out - to);
}

}  // namespace limit
