// The limit: what this machine lets a broker with our guarantees do, and no more than that.
//
// It is a yardstick of the benchmarks and no broker. For each message it does what none can leave out: it
// cuts the frame, finds opaque, properties and the few other fields that are stored, copies the record with
// its CRC, writes the log (allocated files of 1 GiB, one write a round), the queue entry and the index, and
// answers in kind. One thread serves all sockets, one syncs, one prepares the next file of the log. `async`
// acknowledges what is in the page cache and syncs every 500 ms; `sync` acknowledges what is on the device, a
// group of messages with each sync.
//
// It has one topic (names are stored and not looked at) with queues 0 to 9, answers pulls from memory, and
// everything else with success. There is no recovery, no check of anything that a client says, no rights, no
// filters. The oldest file of the log goes when there are more than FILES. Input that cannot be read closes
// its connection.
//
//     limit PORT FOLDER async|sync [FILE_BYTES [FILES]]
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/signalfd.h>
#include <sys/socket.h>

#include <csignal>
#include <string>

#include "server.h"

namespace {

constexpr uint64_t kFileBytes = 1 << 30;
constexpr uint64_t kSmallestFile = 64 << 10;
/// 24 GiB: with large bodies a minute of warming up would otherwise fill a small disk.
constexpr uint64_t kFiles = 24;
constexpr int kWaiting = 1024;

/// Descriptor of a socket that listens on the loopback; sets the port that it got.
int listenOn(uint16_t& port) {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const int on = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  socklen_t length = sizeof address;
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(listener, reinterpret_cast<sockaddr*>(&address), length) != 0 || listen(listener, kWaiting) != 0 ||
      getsockname(listener, reinterpret_cast<sockaddr*>(&address), &length) != 0)
    limit::fail("listen");
  port = ntohs(address.sin_port);
  return listener;
}

/// Descriptor that is readable when the program is to end. Threads that are made later inherit the mask.
int catchSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  if (sigprocmask(SIG_BLOCK, &signals, nullptr) != 0) limit::fail("sigprocmask");
  return signalfd(-1, &signals, SFD_CLOEXEC);
}

}  // namespace

int main(int count, char** arguments) {
  const std::string mode = count > 3 ? arguments[3] : "";
  const limit::LogSize size = {count > 4 ? strtoull(arguments[4], nullptr, 10) : kFileBytes,
                               count > 5 ? strtoull(arguments[5], nullptr, 10) : kFiles};
  if ((mode != "async" && mode != "sync") || count > 6 || size.fileBytes < kSmallestFile || size.files < 1) {
    fprintf(stderr, "usage: limit PORT FOLDER async|sync [FILE_BYTES from %llu [FILES from 1]]\n",
            static_cast<unsigned long long>(kSmallestFile));
    return 2;
  }
  uint16_t port = static_cast<uint16_t>(strtoul(arguments[1], nullptr, 10));
  const int signals = catchSignals();
  const int listener = listenOn(port);
  limit::Host host = {127, 0, 0, 1};
  limit::put32(host.data() + 4, port);
  limit::Store store(arguments[2], size, mode == "sync", host);
  limit::Server server(store, listener, signals);
  printf("limit ready 127.0.0.1:%u\n", port);
  fflush(stdout);
  server.run();
  store.stop();
  return 0;
}
