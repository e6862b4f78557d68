// The thread that serves sockets. A round is: read what has come, stage the messages in it, one write to the
// log, one write of answers for each connection, one write for each queue that got something, then the pulls
// that waited for it.
#pragma once

#include <sys/epoll.h>

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "output.h"
#include "request.h"
#include "store.h"

namespace limit {

/// Answers up to a place in the output may leave when the log is on the device up to `log`.
struct Gate {
  uint64_t output;
  uint64_t log;
};

struct Connection {
  int descriptor = -1;
  Host host{};
  Hints hints;
  Output output;
  /// Answers up to here may leave.
  uint64_t sendable = 0;
  std::deque<Gate> gates;
  /// End of its last message in the log.
  uint64_t lastPut = 0;
  /// The socket took less than there is: nothing more is read before it has.
  bool full = false;
  /// An unfinished frame.
  std::unique_ptr<uint8_t[]> held;
  size_t heldRoom = 0;
  size_t heldBytes = 0;
};

/// A pull, answered at once or held until something comes.
struct Pull {
  Connection* connection;
  uint32_t opaque;
  bool json;
  uint64_t queueId;
  uint64_t offset;
  uint64_t count;
  /// When it is answered in any case, on the clock of the store.
  uint64_t deadline;
};

class Server {
 public:
  /// Ready for connections when this returns.
  Server(Store& store, int listener, int signals);
  /// Serves until a signal comes.
  void run();

 private:
  void watch(int descriptor, void* tag, uint32_t events, int operation);
  void endRound();
  void handleEvent(const epoll_event& event);
  void accept();
  void close(Connection& connection);
  void receive(Connection& connection);
  bool cut(Connection& connection, const uint8_t* bytes, size_t length, size_t& consumed);
  bool handle(Connection& connection, const Request& request);
  bool send(Connection& connection, const Request& request);
  bool pull(Connection& connection, const Request& request);
  bool queueEnd(Connection& connection, const Request& request);
  void answerSend(Connection& connection, const Request& request, uint64_t queueId, const Placed& first,
                  const Text& key);
  void setReady(Connection& connection);
  void sendAnswers();
  bool answerPull(const Pull& pull, bool isLate);
  void answerHeld();
  int patience() const;

  Store& store_;
  const int listener_;
  const int signals_;
  const int poll_;
  bool ending_ = false;
  uint64_t nowMillis_ = 0;
  std::vector<std::unique_ptr<Connection>> connections_;
  /// Closed in this round.
  std::vector<std::unique_ptr<Connection>> closed_;
  std::array<std::vector<Pull>, kQueues> waiting_;
  std::unique_ptr<uint8_t[]> received_;
  /// Of the messages of the last send.
  std::vector<uint64_t> positions_;
  std::vector<uint8_t> scratch_;
};

}  // namespace limit
