// A request where it lies in the receive buffer: code, opaque, body, and the few fields that are asked for.
// The header is read no further than that.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "wire.h"

namespace limit {

/// Names of fields as they stand in a JSON header, quotes and all; in a binary header without those.
template <size_t Count>
using Names = std::array<std::string_view, Count>;

/// The fields of a send, by the letters of SEND_MESSAGE_V2.
enum SendField { kTopic, kQueueId, kSysFlag, kBornTimestamp, kFlag, kProperties, kSendFields };
constexpr Names<kSendFields> kSendNames = {R"("b":")", R"("e":")", R"("f":")",
                                           R"("g":")", R"("h":")", R"("i":")"};

enum PullField { kPullQueue, kPullOffset, kPullCount, kPullSysFlag, kPullSuspend, kPullFields };
constexpr Names<kPullFields> kPullNames = {R"("queueId":")", R"("queueOffset":")", R"("maxMsgNums":")",
                                           R"("sysFlag":")", R"("suspendTimeoutMillis":")"};

constexpr Names<1> kQueueName = {R"("queueId":")"};

/// Where things stood in the last JSON header of a connection: a client writes all of its requests in one
/// layout.
struct Hints {
  std::array<uint32_t, kSendFields> send{};
  std::array<uint32_t, kPullFields> pull{};
  std::array<uint32_t, 1> queue{};
  uint32_t opaqueFromEnd = 0;
};

class Request {
 public:
  int code = 0;
  bool json = false;
  uint32_t opaque = 0;
  Text body;

  /// Reads a frame without its length word. False: it is malformed.
  bool read(const uint8_t* frame, uint32_t length, Hints& hints);

  /// Whether the sender waits for no answer.
  bool oneWay() const;

  /// Finds the named fields; absent ones stay as they are. False: the header is malformed.
  template <size_t Count>
  bool find(const Names<Count>& names, std::array<Text, Count>& found,
            std::array<uint32_t, Count>& hints) const {
    return json ? findJson(names.data(), found.data(), hints.data(), Count)
                : findBinary(names.data(), found.data(), Count);
  }

 private:
  bool readJson(Hints& hints);
  bool readBinary();
  bool findJson(const std::string_view* names, Text* found, uint32_t* hints, size_t count) const;
  bool findBinary(const std::string_view* names, Text* found, size_t count) const;

  Text header_;
  /// Of a binary header: what stands behind remark and length of the fields.
  Text fields_;
  uint32_t flag_ = 0;
};

/// Undoes the escapes of a JSON string. At most as many bytes as it has are written; returns how many.
uint32_t unescape(const Text& text, uint8_t* to);

}  // namespace limit
