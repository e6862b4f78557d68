#include "processor.h"

#include <sched.h>
#include <sys/prctl.h>

#include <cerrno>
#include <string>

#include "arguments.h"

namespace ringmq {

napi_value yieldProcessorCall(napi_env, napi_callback_info) {
  sched_yield();
  return nullptr;
}

Napi::Value nameThreadCall(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  const std::string name = arguments.path(0);
  if (!arguments.valid()) return arguments.reject("nameThread: needs a name");
  return arguments.answer(prctl(PR_SET_NAME, name.c_str(), 0, 0, 0) == 0 ? 0 : -errno);
}

}  // namespace ringmq
