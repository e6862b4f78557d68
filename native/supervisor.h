// What a service manager is told (systemd's sd_notify protocol: datagrams to the socket named by NOTIFY_SOCKET).
#pragma once

#include <napi.h>

namespace ringmq {

Napi::Value notifySupervisorCall(const Napi::CallbackInfo& info);

}  // namespace ringmq
