#include "parking.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <ctime>
#include <mutex>

#include "hot_arguments.h"
#include "id_table.h"

namespace ringmq {

namespace {

// A thread that is to be ended notices it when it is back in JavaScript.
constexpr int32_t kLongestMillis = 1000;

enum State : uint32_t { kAwake, kAsleep, kUnparked };

/// One thread parks here, any other unparks it. Never freed, as bells are not.
///
/// On a futex of its own: Atomics.wait and Atomics.notify share a lock for the whole process, which whoever is woken
/// takes before it goes on, while the waker still holds it. It fell asleep a second time then.
struct Parking {
  std::atomic<uint32_t> state{kAwake};
};

IdTable<Parking> table;
std::mutex& tableMutex = *new std::mutex();

void waitWhileAsleep(Parking* place, const timespec& timeout) {
  syscall(SYS_futex, &place->state, FUTEX_WAIT_PRIVATE, kAsleep, &timeout, nullptr, 0);
}

/// Whether it was unparked.
bool park(Parking* place, int32_t millis) {
  uint32_t expected = kAwake;
  if (place->state.compare_exchange_strong(expected, kAsleep)) {
    waitWhileAsleep(place, {millis / 1000, millis % 1000 * 1000000L});
  }
  return place->state.exchange(kAwake) == kUnparked;
}

void unpark(Parking* place) {
  if (place->state.exchange(kUnparked) != kAsleep) return;
  syscall(SYS_futex, &place->state, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
}

}  // namespace

napi_value openParkingCall(napi_env env, napi_callback_info info) {
  const HotArguments<1> arguments(env, info);
  const std::lock_guard<std::mutex> guard(tableMutex);
  const int32_t id = table.nextId();
  if (id == 0) return arguments.answer(-ENFILE);
  table.add(id, new Parking());
  return arguments.answer(id);
}

napi_value parkCall(napi_env env, napi_callback_info info) {
  HotArguments<2> arguments(env, info);
  Parking* place = table.find(arguments.integer(0));
  const int32_t millis = arguments.integer(1);
  arguments.require(place != nullptr && millis >= 0);
  if (!arguments.valid()) return arguments.reject("park: needs a place and milliseconds");
  return arguments.answer(park(place, millis < kLongestMillis ? millis : kLongestMillis) ? 1 : 0);
}

napi_value unparkCall(napi_env env, napi_callback_info info) {
  HotArguments<1> arguments(env, info);
  Parking* place = table.find(arguments.integer(0));
  if (!arguments.valid() || place == nullptr) return arguments.reject("unpark: needs a place");
  unpark(place);
  return nullptr;
}

}  // namespace ringmq
