// What the server does with each request.
#include <algorithm>

#include "server.h"

namespace limit {

namespace {

enum Code { kPullMessage = 11, kGetMaxOffset = 30, kGetMinOffset = 31, kSend = 310, kSendBatch = 320 };
constexpr int kSuccess = 0;
constexpr int kNothingFound = 19;
constexpr uint64_t kSuspend = 2;
/// Real brokers carry no more messages from memory in one answer.
constexpr uint64_t kPullBytes = 256 << 10;
constexpr size_t kFieldsRoom = 512;
// magic 4, CRC 4 and flag 4 stand between the size of an item and the length of its body
constexpr uint32_t kItemFlag = 12;
constexpr uint32_t kItemBodyLength = 16;
constexpr uint32_t kItemBody = 20;
constexpr int kIdHexDigits = 16;

/// Whether it may stand between the quotes of JSON as it is.
bool isPlain(const Text& text) {
  return std::all_of(text.at, text.at + text.length,
                     [](uint8_t byte) { return byte >= ' ' && byte < 0x7f && byte != '"' && byte != '\\'; });
}

/// Takes the first message of a batch's body. False: there is no whole one.
bool takeItem(Text& items, Message& message) {
  if (items.length < kItemBody + 2) return false;
  const uint32_t size = get32(items.at);
  const uint32_t body = get32(items.at + kItemBodyLength);
  if (size > items.length || size < kItemBody + 2 || body > size - kItemBody - 2) return false;
  const uint8_t* const properties = items.at + kItemBody + body;
  const uint32_t length = get16(properties);
  if (length != size - kItemBody - 2 - body) return false;
  message.flag = get32(items.at + kItemFlag);
  message.body = {items.at + kItemBody, body};
  message.properties = {properties + 2, length};
  items = {items.at + size, items.length - size};
  return true;
}

}  // namespace

bool Server::handle(Connection& connection, const Request& request) {
  switch (request.code) {
    case kSend:
    case kSendBatch:
      return send(connection, request);
    case kPullMessage:
      return pull(connection, request);
    case kGetMaxOffset:
    case kGetMinOffset:
      return queueEnd(connection, request);
    default:
      break;
  }
  if (request.oneWay()) return true;
  Answer answer(connection.output, request.json, kSuccess, request.opaque, "", 0);
  answer.endHeader();
  answer.finish();
  return true;
}

bool Server::send(Connection& connection, const Request& request) {
  std::array<Text, kSendFields> fields;
  if (!request.find(kSendNames, fields, connection.hints.send)) return false;
  Message message;
  message.topic = fields[kTopic];
  message.queueId = decimalOf(fields[kQueueId]);
  message.sysFlag = static_cast<uint32_t>(decimalOf(fields[kSysFlag]));
  message.bornMillis = decimalOf(fields[kBornTimestamp]);
  message.flag = static_cast<uint32_t>(decimalOf(fields[kFlag]));
  message.body = request.body;
  message.properties = fields[kProperties];
  message.escaped = request.json;
  positions_.clear();
  Placed first;
  Text key;
  if (request.code == kSend) {
    if (!store_.put(message, connection.host, first)) return false;
    positions_.push_back(first.position);
    key = first.uniqueKey;
  } else {
    scratch_.resize(message.properties.length);
    Text own = message.properties;
    if (request.json) own = {scratch_.data(), unescape(message.properties, scratch_.data())};
    key = propertyOf(own, "UNIQ_KEY\1");
    message.escaped = false;
    for (Text items = request.body; items.length > 0;) {
      Placed placed;
      if (!takeItem(items, message) || !store_.put(message, connection.host, placed)) return false;
      if (positions_.empty()) first = placed;
      positions_.push_back(placed.position);
    }
  }
  connection.lastPut = store_.log().end();
  answerSend(connection, request, message.queueId, first, key);
  return true;
}

void Server::answerSend(Connection& connection, const Request& request, uint64_t queueId, const Placed& first,
                        const Text& key) {
  const size_t room = kFieldsRoom + positions_.size() * (2 * kIdHexDigits + 1) + key.length;
  Answer answer(connection.output, request.json, kSuccess, request.opaque, "", room);
  answer.field("MSG_REGION", "DefaultRegion");
  answer.field("TRACE_ON", "true");
  answer.beginField("msgId");
  const uint64_t host = get64(store_.host().data());
  for (const uint64_t position : positions_) {
    if (position != positions_.front()) *answer.at++ = ',';
    answer.at = putHex(putHex(answer.at, host, kIdHexDigits), position, kIdHexDigits);
  }
  answer.endField();
  answer.field("queueId", queueId);
  answer.field("queueOffset", first.queueOffset);
  if (key.length > 0 && isPlain(key)) answer.field("transactionId", key.view());
  answer.endHeader();
  answer.finish();
}

bool Server::queueEnd(Connection& connection, const Request& request) {
  std::array<Text, 1> fields;
  if (!request.find(kQueueName, fields, connection.hints.queue)) return false;
  const uint64_t queueId = decimalOf(fields[0]);
  if (queueId >= kQueues) return false;
  Answer answer(connection.output, request.json, kSuccess, request.opaque, "", kFieldsRoom);
  answer.field("offset", request.code == kGetMaxOffset ? store_.queue(queueId).written() : 0);
  answer.endHeader();
  answer.finish();
  return true;
}

bool Server::pull(Connection& connection, const Request& request) {
  std::array<Text, kPullFields> fields;
  if (!request.find(kPullNames, fields, connection.hints.pull)) return false;
  const bool suspends = (decimalOf(fields[kPullSysFlag]) & kSuspend) != 0;
  const Pull pull{&connection,
                  request.opaque,
                  request.json,
                  decimalOf(fields[kPullQueue]),
                  decimalOf(fields[kPullOffset]),
                  decimalOf(fields[kPullCount]),
                  nowMillis_ + (suspends ? decimalOf(fields[kPullSuspend]) : 0)};
  if (pull.queueId >= kQueues) return false;
  if (!answerPull(pull, !suspends)) waiting_[pull.queueId].push_back(pull);
  return true;
}

/// False: there is nothing for it yet. One that is late is answered in any case.
bool Server::answerPull(const Pull& pull, bool isLate) {
  const Queue& queue = store_.queue(pull.queueId);
  const uint64_t visible = store_.visible();
  uint64_t bytes = 0;
  uint64_t end = pull.offset;
  for (; end < queue.written() && end - pull.offset < pull.count; end += 1) {
    const Entry entry = queue.entry(end);
    if (entry.position < store_.log().begin()) break;
    if (entry.position + entry.size > visible || (bytes > 0 && bytes + entry.size > kPullBytes)) break;
    bytes += entry.size;
  }
  const bool isFound = end > pull.offset;
  if (!isFound && !isLate) return false;
  Connection& connection = *pull.connection;
  Answer answer(connection.output, pull.json, isFound ? kSuccess : kNothingFound, pull.opaque,
                isFound ? "FOUND" : "OFFSET_OVERFLOW_ONE", kFieldsRoom + bytes);
  answer.field("groupSysFlag", 0);
  answer.field("maxOffset", queue.written());
  answer.field("minOffset", 0);
  answer.field("nextBeginOffset", end);
  answer.field("offsetDelta", 0);
  answer.field("suggestWhichBrokerId", 0);
  answer.field("topicSysFlag", 0);
  answer.endHeader();
  for (uint64_t offset = pull.offset; offset < end; offset += 1) {
    const Entry entry = queue.entry(offset);
    memcpy(answer.at, store_.log().at(entry.position), entry.size);
    answer.at += entry.size;
  }
  answer.finish();
  setReady(connection);
  return true;
}

}  // namespace limit
