#include "doorbell.h"

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <mutex>

#include "hot_arguments.h"
#include "id_table.h"

// What is needed of libuv, as its documentation has it. The headers of Node-API come without uv.h; libuv keeps its
// binary interface within version 1, which all versions of Node.js have, and tells the size of its handles.
extern "C" {
struct uv_async_s;
struct uv_handle_s;
size_t uv_handle_size(int type);
void uv_handle_set_data(uv_handle_s* handle, void* data);
void* uv_handle_get_data(const uv_handle_s* handle);
int uv_async_init(uv_loop_s* loop, uv_async_s* async, void (*callback)(uv_async_s* async));
int uv_async_send(uv_async_s* async);
void uv_unref(uv_handle_s* handle);
void uv_close(uv_handle_s* handle, void (*callback)(uv_handle_s* handle));
}

namespace ringmq {

namespace {

// UV_ASYNC of uv_handle_type.
constexpr int kAsyncHandle = 1;

/// Never freed, like regions: a late ring may still hold the pointer. There is about one per thread.
///
/// Not a threadsafe function of Node-API: that rings with a lock held which the thread that wakes up takes first, so
/// where both share a processor it goes to sleep again until the ringer goes on.
struct Doorbell {
  int32_t id = 0;
  std::atomic<bool> pending{false};
  napi_env env = nullptr;
  napi_ref callback = nullptr;
  napi_async_context context = nullptr;
  napi_async_cleanup_hook_handle hook = nullptr;
  /// Guards `async`, which is null once the bell is closed. Whoever is woken does not take it.
  std::mutex mutex;
  uv_async_s* async = nullptr;
};

uv_handle_s* handleOf(uv_async_s* async) { return reinterpret_cast<uv_handle_s*>(async); }

IdTable<Doorbell> table;
std::mutex& tableMutex = *new std::mutex();

int32_t registerDoorbell(Doorbell* bell) {
  const std::lock_guard<std::mutex> guard(tableMutex);
  bell->id = table.nextId();
  if (bell->id == 0) return -ENFILE;
  table.add(bell->id, bell);
  return bell->id;
}

/// The loop has let go of the handle: the environment may end.
void onClosed(uv_handle_s* handle) {
  auto* bell = static_cast<Doorbell*>(uv_handle_get_data(handle));
  napi_remove_async_cleanup_hook(bell->hook);
  std::free(handle);
}

/// By the bell's own thread.
void close(Doorbell* bell) {
  const std::lock_guard<std::mutex> guard(bell->mutex);
  if (bell->async == nullptr) return;
  uv_close(handleOf(bell->async), onClosed);
  bell->async = nullptr;
  napi_delete_reference(bell->env, bell->callback);
  napi_async_destroy(bell->env, bell->context);
  const std::lock_guard<std::mutex> tableGuard(tableMutex);
  table.remove(bell->id);
}

/// The environment ends: later rings must not reach a loop that is gone. It waits for `onClosed`.
void onEnvironmentEnd(napi_async_cleanup_hook_handle, void* data) { close(static_cast<Doorbell*>(data)); }

void reportException(napi_env env) {
  bool isPending = false;
  napi_is_exception_pending(env, &isPending);
  // A thread that is being ended runs no callback, and has no exception.
  if (!isPending) return;
  napi_value exception = nullptr;
  napi_get_and_clear_last_exception(env, &exception);
  napi_fatal_exception(env, exception);
}

void onRing(uv_async_s* async) {
  auto* bell = static_cast<Doorbell*>(uv_handle_get_data(handleOf(async)));
  const napi_env env = bell->env;
  // Before the callback: what is published from here on rings again. Read-modify-write, so that everything written
  // before the ring that set the flag is visible to the callback.
  bell->pending.exchange(false);
  napi_handle_scope scope = nullptr;
  if (napi_open_handle_scope(env, &scope) != napi_ok) return;
  napi_value callback = nullptr;
  napi_value global = nullptr;
  if (napi_get_reference_value(env, bell->callback, &callback) == napi_ok && napi_get_global(env, &global) == napi_ok &&
      napi_make_callback(env, bell->context, global, callback, 0, nullptr, nullptr) != napi_ok) {
    reportException(env);
  }
  napi_close_handle_scope(env, scope);
}

bool hold(Doorbell* bell, napi_value callback) {
  napi_value name = nullptr;
  return napi_create_string_utf8(bell->env, "doorbell", NAPI_AUTO_LENGTH, &name) == napi_ok &&
         napi_async_init(bell->env, nullptr, name, &bell->context) == napi_ok &&
         napi_create_reference(bell->env, callback, 1, &bell->callback) == napi_ok;
}

/// The handle keeps no loop alive.
bool listen(Doorbell* bell) {
  uv_loop_s* loop = nullptr;
  if (napi_get_uv_event_loop(bell->env, &loop) != napi_ok) return false;
  auto* async = static_cast<uv_async_s*>(std::malloc(uv_handle_size(kAsyncHandle)));
  if (uv_async_init(loop, async, onRing) != 0) {
    std::free(async);
    return false;
  }
  uv_handle_set_data(handleOf(async), bell);
  uv_unref(handleOf(async));
  bell->async = async;
  return napi_add_async_cleanup_hook(bell->env, onEnvironmentEnd, bell, &bell->hook) == napi_ok;
}

}  // namespace

Napi::Value openDoorbellCall(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  const Napi::Function callback = arguments.function(0);
  if (!arguments.valid()) return arguments.reject("openDoorbell: needs a callback");
  auto* bell = new Doorbell();
  bell->env = info.Env();
  if (!hold(bell, callback) || !listen(bell)) {
    napi_throw_error(info.Env(), nullptr, "openDoorbell: the runtime refused a handle of its loop");
    return {};
  }
  return arguments.answer(registerDoorbell(bell));
}

napi_value ringDoorbellCall(napi_env env, napi_callback_info info) {
  HotArguments<1> arguments(env, info);
  Doorbell* bell = table.find(arguments.integer(0));
  // Closed, or somebody has rung already.
  if (bell == nullptr || bell->pending.exchange(true)) return nullptr;
  const std::lock_guard<std::mutex> guard(bell->mutex);
  if (bell->async != nullptr) uv_async_send(bell->async);
  return nullptr;
}

Napi::Value closeDoorbellCall(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  Doorbell* bell = table.find(arguments.integer(0));
  if (bell != nullptr) close(bell);
  return {};
}

}  // namespace ringmq
