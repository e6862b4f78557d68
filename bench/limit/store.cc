#include "store.h"

#include "../../native/crc32.h"
#include "request.h"

namespace limit {

namespace {

constexpr uint32_t kMagic = 0xdaa320a7;
constexpr uint32_t kFixedBytes = 91;
constexpr uint32_t kBodyAt = 88;
constexpr uint32_t kLongestTopic = 127;
constexpr uint32_t kLongestProperties = 32'767;
constexpr uint8_t kValueEnd = 2;
/// What brokers add to the properties of every message; the cluster has the name that the benchmarks give it.
constexpr std::string_view kSuffix =
    "MSG_REGION\1DefaultRegion\2TRACE_ON\1true\2CLUSTER\1bench-cluster\2";
constexpr std::string_view kUniqueKey = "UNIQ_KEY\1";
constexpr std::string_view kTags = "TAGS\1";

/// That of Java's String, for text of one byte a character.
uint32_t javaHash(const Text& text, uint32_t hash = 0) {
  uint32_t at = 0;
  // four at a time: the processor can multiply them side by side
  for (; at + 4 <= text.length; at += 4) {
    const uint8_t* const next = text.at + at;
    hash = hash * (31 * 31 * 31 * 31) + next[0] * (31 * 31 * 31) + next[1] * (31 * 31);
    hash += next[2] * 31 + next[3];
  }
  for (; at < text.length; at += 1) hash = hash * 31 + text.at[at];
  return hash;
}

}  // namespace

Text propertyOf(const Text& properties, std::string_view nameAndMark) {
  for (uint32_t at = 0; at < properties.length;) {
    const uint8_t* const pair = properties.at + at;
    const void* const found = memchr(pair, kValueEnd, properties.length - at);
    const uint8_t* const end =
        found == nullptr ? properties.at + properties.length : static_cast<const uint8_t*>(found);
    const uint32_t length = static_cast<uint32_t>(end - pair);
    const uint32_t nameLength = static_cast<uint32_t>(nameAndMark.size());
    if (length >= nameLength && memcmp(pair, nameAndMark.data(), nameLength) == 0)
      return {pair + nameLength, length - nameLength};
    at += length + 1;
  }
  return {};
}

Store::Store(const std::string& folder, const LogSize& size, bool syncs, const Host& host)
    : folder_(folder),
      syncs_(syncs),
      host_(host),
      flusher_(syncs, size.fileBytes, size.fileBytes * size.files),
      log_(folder + "/commitlog", size, flusher_),
      index_(folder + "/index") {}

bool Store::put(const Message& message, const Host& bornHost, Placed& placed) {
  const auto& [topic, queueId, flag, sysFlag, bornMillis, body, properties, escaped] = message;
  if (queueId >= kQueues || topic.length == 0 || topic.length > kLongestTopic) return false;
  if (properties.length > kLongestProperties) return false;
  const uint64_t most = kFixedBytes + body.length + topic.length + properties.length + 1 + kSuffix.size();
  if (most > log_.largestRecord()) return false;
  Queue& queue = queues_[queueId];
  if (!queue.isOpen()) {
    if (memchr(topic.at, '/', topic.length) != nullptr) return false;
    queue.openIn(folder_ + "/consumequeue/" + std::string(topic.view()) + "/" + std::to_string(queueId));
  }

  uint8_t* const record = log_.reserve(most);
  placed.position = log_.end();
  placed.queueOffset = queue.count();
  put32(record + 4, kMagic);
  put32(record + 12, static_cast<uint32_t>(queueId));
  put32(record + 16, flag);
  put64(record + 20, placed.queueOffset);
  put64(record + 28, placed.position);
  put32(record + 36, sysFlag);
  put64(record + 40, bornMillis);
  memcpy(record + 48, bornHost.data(), bornHost.size());
  put64(record + 56, nowMillis_);
  memcpy(record + 64, host_.data(), host_.size());
  // how often it was consumed before, and the place of a half message
  memset(record + 72, 0, 12);
  put32(record + 84, body.length);
  uint8_t* at = record + kBodyAt;
  memcpy(at, body.at, body.length);
  put32(record + 8, ringmq::crc32(at, body.length) & 0x7fffffff);
  at += body.length;
  *at++ = static_cast<uint8_t>(topic.length);
  at = putText(at, topic.view());

  uint8_t* const first = at + 2;
  at = first;
  if (escaped)
    at += unescape(properties, at);
  else
    at = putText(at, properties.view());
  const Text kept{first, static_cast<uint32_t>(at - first)};
  if (kept.length > 0 && at[-1] != kValueEnd) *at++ = kValueEnd;
  at = putText(at, kSuffix);
  put16(first - 2, static_cast<uint16_t>(at - first));
  const uint32_t size = static_cast<uint32_t>(at - record);
  put32(record, size);
  log_.append(size);

  const Text tags = propertyOf(kept, kTags);
  queue.add(placed.position, size, static_cast<int32_t>(javaHash(tags)));
  placed.uniqueKey = propertyOf(kept, kUniqueKey);
  if (placed.uniqueKey.length > 0)
    index_.add(indexHash(topic, placed.uniqueKey), placed.position, nowMillis_);
  return true;
}

int32_t Store::indexHash(const Text& topic, const Text& key) {
  if (topic.view() != topic_) {
    topic_ = topic.view();
    topicHash_ = javaHash(topic) * 31 + '#';
  }
  return static_cast<int32_t>(javaHash(key, topicHash_));
}

void Store::writeLog() {
  log_.write();
  flusher_.written(log_.written());
}

void Store::writeQueues() {
  for (Queue& queue : queues_) queue.write();
  index_.publish();
}

void Store::stop() {
  writeLog();
  writeQueues();
  flusher_.stop();
  log_.stop();
}

}  // namespace limit
