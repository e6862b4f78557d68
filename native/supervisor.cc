#include "supervisor.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <string>

#include "arguments.h"

namespace ringmq {

namespace {

/// 0 or -errno. A manager that does not read is not waited for.
int notify(const std::string& address, const std::string& text) {
  sockaddr_un to = {};
  to.sun_family = AF_UNIX;
  if (address.empty() || address.size() >= sizeof to.sun_path) return -EINVAL;
  std::copy(address.begin(), address.end(), to.sun_path);
  // An abstract name begins with a zero byte, and is written with an @.
  if (to.sun_path[0] == '@') to.sun_path[0] = '\0';
  const int descriptor = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return -errno;
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address.size());
  const ssize_t sent = sendto(descriptor, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT,
                              reinterpret_cast<const sockaddr*>(&to), length);
  const int result = sent < 0 ? -errno : 0;
  close(descriptor);
  return result;
}

}  // namespace

Napi::Value notifySupervisorCall(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  const std::string address = arguments.path(0);
  const std::string text = arguments.path(1);
  if (!arguments.valid()) return arguments.reject("notifySupervisor: needs address, text");
  return arguments.answer(notify(address, text));
}

}  // namespace ringmq
