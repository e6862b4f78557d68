#include "server.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>

namespace limit {

namespace {

constexpr size_t kReadBytes = 256 << 10;
constexpr uint32_t kLargestFrame = 5 << 20;
constexpr int kEvents = 64;
/// A round that has staged so much ends before it has read all there is: what was staged is then still in the
/// cache of the processor, and clients are not kept waiting.
constexpr uint64_t kRoundBytes = 1 << 20;

uint64_t millisNow() {
  timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1000 + static_cast<uint64_t>(now.tv_nsec) / 1'000'000;
}

void drain(int event) {
  uint64_t count;
  if (read(event, &count, sizeof count) < 0 && errno != EAGAIN) fail("eventfd");
}

}  // namespace

Server::Server(Store& store, int listener, int signals)
    : store_(store),
      listener_(listener),
      signals_(signals),
      poll_(epoll_create1(EPOLL_CLOEXEC)),
      received_(new uint8_t[kReadBytes]) {
  if (poll_ < 0) fail("epoll");
  // what is no connection is told by the address of its descriptor
  watch(listener, const_cast<int*>(&listener_), EPOLLIN, EPOLL_CTL_ADD);
  watch(signals, const_cast<int*>(&signals_), EPOLLIN, EPOLL_CTL_ADD);
  watch(store.flusher().descriptor(), &store_, EPOLLIN, EPOLL_CTL_ADD);
}

void Server::watch(int descriptor, void* tag, uint32_t events, int operation) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = tag;
  if (epoll_ctl(poll_, operation, descriptor, &event) != 0) fail("epoll_ctl");
}

void Server::run() {
  std::array<epoll_event, kEvents> events;
  while (!ending_) {
    const int count = epoll_wait(poll_, events.data(), kEvents, patience());
    if (count < 0 && errno != EINTR) fail("epoll_wait");
    nowMillis_ = millisNow();
    store_.setTime(nowMillis_);
    for (int at = 0; at < count; at += 1) {
      handleEvent(events[static_cast<size_t>(at)]);
      if (store_.log().end() - store_.log().written() > kRoundBytes) endRound();
    }
    endRound();
    closed_.clear();
  }
}

void Server::endRound() {
  const bool isNew = store_.log().end() != store_.log().written();
  if (isNew) store_.writeLog();
  sendAnswers();
  // what lies between the acknowledgement and the consumer
  if (isNew) store_.writeQueues();
  answerHeld();
}

void Server::handleEvent(const epoll_event& event) {
  void* const tag = event.data.ptr;
  if (tag == &listener_) return accept();
  if (tag == &store_) return drain(store_.flusher().descriptor());
  if (tag == &signals_) {
    ending_ = true;
    return;
  }
  Connection& connection = *static_cast<Connection*>(tag);
  if (connection.descriptor >= 0 && !connection.full) receive(connection);
}

void Server::accept() {
  sockaddr_in peer{};
  socklen_t length = sizeof peer;
  const int descriptor =
      accept4(listener_, reinterpret_cast<sockaddr*>(&peer), &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (descriptor < 0) return;
  const int on = 1;
  setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  connections_.push_back(std::make_unique<Connection>());
  Connection& connection = *connections_.back();
  connection.descriptor = descriptor;
  memcpy(connection.host.data(), &peer.sin_addr, 4);
  put32(connection.host.data() + 4, ntohs(peer.sin_port));
  watch(descriptor, &connection, EPOLLIN, EPOLL_CTL_ADD);
}

void Server::close(Connection& connection) {
  ::close(connection.descriptor);
  connection.descriptor = -1;
  for (auto& pulls : waiting_)
    pulls.erase(std::remove_if(pulls.begin(), pulls.end(),
                               [&](const Pull& pull) { return pull.connection == &connection; }),
                pulls.end());
  const auto place = std::find_if(connections_.begin(), connections_.end(),
                                  [&](const auto& one) { return one.get() == &connection; });
  closed_.push_back(std::move(*place));
  connections_.erase(place);
}

void Server::receive(Connection& connection) {
  const bool isHeld = connection.heldBytes > 0;
  if (isHeld && connection.heldRoom - connection.heldBytes < kReadBytes) {
    const size_t room = std::max(connection.heldRoom * 2, connection.heldBytes + kReadBytes);
    std::unique_ptr<uint8_t[]> larger(new uint8_t[room]);
    memcpy(larger.get(), connection.held.get(), connection.heldBytes);
    connection.held = std::move(larger);
    connection.heldRoom = room;
  }
  uint8_t* const bytes = isHeld ? connection.held.get() : received_.get();
  const ssize_t got = read(connection.descriptor, bytes + connection.heldBytes, kReadBytes);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0) return close(connection);
  const size_t length = connection.heldBytes + static_cast<size_t>(got);
  size_t consumed = 0;
  if (!cut(connection, bytes, length, consumed)) return close(connection);
  setReady(connection);
  const size_t rest = length - consumed;
  if (!isHeld && rest > connection.heldRoom) {
    connection.held.reset(new uint8_t[kReadBytes + rest]);
    connection.heldRoom = kReadBytes + rest;
  }
  if (rest > 0 && (!isHeld || consumed > 0)) memmove(connection.held.get(), bytes + consumed, rest);
  connection.heldBytes = rest;
}

bool Server::cut(Connection& connection, const uint8_t* bytes, size_t length, size_t& consumed) {
  Request request;
  while (length - consumed >= 4) {
    const uint32_t frame = get32(bytes + consumed);
    if (frame > kLargestFrame) return false;
    if (length - consumed - 4 < frame) return true;
    if (!request.read(bytes + consumed + 4, frame, connection.hints)) return false;
    if (!handle(connection, request)) return false;
    consumed += 4 + frame;
  }
  return true;
}

/// What was answered in this round may leave, now or when the log is on the device.
void Server::setReady(Connection& connection) {
  if (store_.syncs())
    connection.gates.push_back({connection.output.end(), connection.lastPut});
  else
    connection.sendable = connection.output.end();
}

void Server::sendAnswers() {
  const uint64_t durable = store_.flusher().durable();
  for (size_t at = 0; at < connections_.size();) {
    Connection& connection = *connections_[at];
    while (!connection.gates.empty() && connection.gates.front().log <= durable) {
      connection.sendable = connection.gates.front().output;
      connection.gates.pop_front();
    }
    if (connection.output.sent() < connection.sendable) {
      if (!connection.output.send(connection.descriptor, connection.sendable)) {
        close(connection);
        continue;
      }
      const bool full = connection.output.sent() < connection.sendable;
      if (full != connection.full)
        watch(connection.descriptor, &connection, full ? EPOLLOUT : EPOLLIN, EPOLL_CTL_MOD);
      connection.full = full;
    }
    at += 1;
  }
}

/// Pulls that waited for what has come, or long enough.
void Server::answerHeld() {
  bool answered = false;
  for (auto& pulls : waiting_) {
    const auto isAnswered = [&](const Pull& pull) { return answerPull(pull, nowMillis_ >= pull.deadline); };
    const auto end = std::remove_if(pulls.begin(), pulls.end(), isAnswered);
    answered = answered || end != pulls.end();
    pulls.erase(end, pulls.end());
  }
  if (answered) sendAnswers();
}

/// How long to sleep at most, in milliseconds; -1 = for ever.
int Server::patience() const {
  uint64_t first = UINT64_MAX;
  for (const auto& pulls : waiting_)
    for (const Pull& pull : pulls) first = std::min(first, pull.deadline);
  if (first == UINT64_MAX) return -1;
  return static_cast<int>(first > nowMillis_ ? std::min<uint64_t>(first - nowMillis_, 60'000) : 0);
}

}  // namespace limit
