#include "doorbell.h"

#include <atomic>
#include <cerrno>
#include <mutex>

#include "hot_arguments.h"
#include "id_table.h"

namespace ringmq {

namespace {

/// Never freed, like regions: a late ring may still hold the pointer. There is about one per thread.
struct Doorbell {
  int32_t id = 0;
  std::atomic<bool> pending{false};
  /// Guards `function`, which is null once the bell is closed.
  std::mutex mutex;
  napi_threadsafe_function function = nullptr;
};

IdTable<Doorbell> table;
std::mutex& tableMutex = *new std::mutex();

int32_t registerDoorbell(Doorbell* bell) {
  const std::lock_guard<std::mutex> guard(tableMutex);
  bell->id = table.nextId();
  if (bell->id == 0) return -ENFILE;
  table.add(bell->id, bell);
  return bell->id;
}

void close(Doorbell* bell) {
  const std::lock_guard<std::mutex> guard(bell->mutex);
  if (bell->function == nullptr) return;
  napi_release_threadsafe_function(bell->function, napi_tsfn_abort);
  bell->function = nullptr;
  const std::lock_guard<std::mutex> tableGuard(tableMutex);
  table.remove(bell->id);
}

/// The environment ends: later rings must not reach a loop that is gone.
void onEnvironmentEnd(void* data) { close(static_cast<Doorbell*>(data)); }

void onRing(napi_env env, napi_value callback, void* context, void*) {
  // No environment: the bell was closed while a ring was on its way.
  if (env == nullptr) return;
  // Before the callback: what is published from here on rings again. Read-modify-write, so that everything written
  // before the ring that set the flag is visible to the callback.
  static_cast<Doorbell*>(context)->pending.exchange(false);
  napi_value receiver = nullptr;
  napi_get_undefined(env, &receiver);
  if (napi_call_function(env, receiver, callback, 0, nullptr, nullptr) != napi_pending_exception) return;
  // Without this an exception of the callback would end as a deprecation warning.
  napi_value exception = nullptr;
  napi_get_and_clear_last_exception(env, &exception);
  napi_fatal_exception(env, exception);
}

bool createFunction(napi_env env, napi_value callback, Doorbell* bell) {
  napi_value name = nullptr;
  napi_create_string_utf8(env, "doorbell", NAPI_AUTO_LENGTH, &name);
  if (napi_create_threadsafe_function(env, callback, nullptr, name, 0, 1, nullptr, nullptr, bell, onRing,
                                      &bell->function) != napi_ok) {
    return false;
  }
  napi_unref_threadsafe_function(env, bell->function);
  return true;
}

}  // namespace

Napi::Value openDoorbellCall(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  const Napi::Function callback = arguments.function(0);
  if (!arguments.valid()) return arguments.reject("openDoorbell: needs a callback");
  auto* bell = new Doorbell();
  if (!createFunction(info.Env(), callback, bell)) {
    delete bell;
    napi_throw_error(info.Env(), nullptr, "openDoorbell: the runtime refused a threadsafe function");
    return {};
  }
  // After the function's own hook, and hooks run in reverse: the bell closes before its function goes.
  napi_add_env_cleanup_hook(info.Env(), onEnvironmentEnd, bell);
  return arguments.answer(registerDoorbell(bell));
}

napi_value ringDoorbellCall(napi_env env, napi_callback_info info) {
  HotArguments<1> arguments(env, info);
  Doorbell* bell = table.find(arguments.integer(0));
  // Closed, or somebody has rung already.
  if (bell == nullptr || bell->pending.exchange(true)) return nullptr;
  const std::lock_guard<std::mutex> guard(bell->mutex);
  if (bell->function != nullptr) napi_call_threadsafe_function(bell->function, nullptr, napi_tsfn_nonblocking);
  return nullptr;
}

Napi::Value closeDoorbellCall(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  Doorbell* bell = table.find(arguments.integer(0));
  if (bell == nullptr) return {};
  napi_remove_env_cleanup_hook(info.Env(), onEnvironmentEnd, bell);
  close(bell);
  return {};
}

}  // namespace ringmq
