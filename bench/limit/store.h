// What is kept of a message: its record in the log, its entry in its queue, its key in the index.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "flusher.h"
#include "index.h"
#include "log.h"
#include "queue.h"
#include "wire.h"

namespace limit {

constexpr uint64_t kQueues = 10;

/// An IPv4 address and a port, as records have them.
using Host = std::array<uint8_t, 8>;

struct Message {
  Text topic;
  uint64_t queueId = 0;
  uint32_t flag = 0;
  uint32_t sysFlag = 0;
  uint64_t bornMillis = 0;
  Text body;
  Text properties;
  /// The properties are a JSON string with its escapes.
  bool escaped = false;
};

/// Where a message was put. The key lies in the stage and lasts until the next one is put.
struct Placed {
  uint64_t position = 0;
  uint64_t queueOffset = 0;
  Text uniqueKey;
};

/// Value of a property, among properties without escapes; absent when there is none.
Text propertyOf(const Text& properties, std::string_view nameAndMark);

class Store {
 public:
  Store(const std::string& folder, const LogSize& size, bool syncs, const Host& host);

  void setTime(uint64_t millis) { nowMillis_ = millis; }
  /// Stages it. False: it is nothing that can be stored.
  bool put(const Message& message, const Host& bornHost, Placed& placed);
  /// Makes what was staged that of the log: then it may be acknowledged (after a sync, where that is asked
  /// for).
  void writeLog();
  /// Entries of what the log has.
  void writeQueues();
  const Queue& queue(uint64_t id) const { return queues_[id]; }
  const Log& log() const { return log_; }
  const Flusher& flusher() const { return flusher_; }
  /// End of what consumers may see.
  uint64_t visible() const { return syncs_ ? flusher_.durable() : log_.written(); }
  bool syncs() const { return syncs_; }
  const Host& host() const { return host_; }
  void stop();

 private:
  int32_t indexHash(const Text& topic, const Text& key);

  const std::string folder_;
  const bool syncs_;
  const Host host_;
  Flusher flusher_;
  Log log_;
  Index index_;
  std::array<Queue, kQueues> queues_;
  uint64_t nowMillis_ = 0;
  /// The topic of the last message, and the hash of it and `#`.
  std::string topic_;
  uint32_t topicHash_ = 0;
};

}  // namespace limit
