// Turns a SIGBUS inside a mapped segment (an I/O error, a file that somebody shrank) into zeros and an error flag.
//
// Everything on the handler's way is async-signal-safe: the lookup reads atomics only, and mmap is a plain system call.
#include "fault_guard.h"

#include <sys/mman.h>

#include <cerrno>
#include <csignal>
#include <mutex>

#include "region.h"
#include "tail_window.h"

namespace ringmq {

namespace {

struct sigaction previous;

bool replaceByZeros(uint8_t* base, size_t bytes) {
  return mmap(base, bytes, PROT_READ | PROT_WRITE, MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0) !=
         MAP_FAILED;
}

bool repair(void* address) {
  if (repairWindowCopy(address)) return true;
  Region* region = findSegmentAt(address);
  if (region == nullptr) return false;
  const auto page = reinterpret_cast<uintptr_t>(address) & ~(pageSize() - 1);
  // Before the zeros are there to be read: who copies them finds the page noted afterwards.
  region->lost.add((page - reinterpret_cast<uintptr_t>(region->base)) / pageSize());
  region->error.store(EIO);
  if (replaceByZeros(reinterpret_cast<uint8_t*>(page), pageSize())) return true;
  // Each lone page costs the process one of its limited mappings; the whole region costs none.
  region->lost.addAll();
  return replaceByZeros(region->base, mappedSize(*region));
}

void passOn(int signal, siginfo_t* info, void* context) {
  if ((previous.sa_flags & SA_SIGINFO) != 0) {
    previous.sa_sigaction(signal, info, context);
    return;
  }
  if (previous.sa_handler != SIG_DFL && previous.sa_handler != SIG_IGN) {
    previous.sa_handler(signal);
    return;
  }
  if (previous.sa_handler == SIG_IGN && info->si_code <= 0) return;
  // Delivered when this handler returns, and fatal, as it would have been without it.
  std::signal(signal, SIG_DFL);
  raise(signal);
}

void onBusError(int signal, siginfo_t* info, void* context) {
  const int error = errno;
  // A positive code comes from the kernel; signals that a process sent carry no address.
  if (info->si_code <= 0 || !repair(info->si_addr)) passOn(signal, info, context);
  errno = error;
}

}  // namespace

Napi::Value installFaultGuardCall(const Napi::CallbackInfo&) {
  static std::once_flag installed;
  std::call_once(installed, [] {
    pageSize();
    struct sigaction action = {};
    action.sa_sigaction = onBusError;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART;
    sigemptyset(&action.sa_mask);
    sigaction(SIGBUS, &action, &previous);
  });
  return {};
}

}  // namespace ringmq
