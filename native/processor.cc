#include "processor.h"

#include <sched.h>

namespace ringmq {

napi_value yieldProcessorCall(napi_env, napi_callback_info) {
  sched_yield();
  return nullptr;
}

}  // namespace ringmq
