#include "tail_window.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <cstring>

#include "region.h"

namespace ringmq {

namespace {

// The signal handler may not allocate thread storage. glibc does so at the first use unless the model is
// `initial-exec`; musl has it ready from the loading on, and refuses that model in a library that is loaded late.
#if defined(__GLIBC__)
#define RINGMQ_SIGNAL_SAFE __attribute__((tls_model("initial-exec")))
#else
#define RINGMQ_SIGNAL_SAFE
#endif

// What this thread is copying into.
RINGMQ_SIGNAL_SAFE thread_local std::atomic<uint8_t*> copyingInto{nullptr};
RINGMQ_SIGNAL_SAFE thread_local std::atomic<bool> copyFailed{false};

}  // namespace

bool TailWindow::covers(uint64_t offset, size_t length) const {
  return base_ != nullptr && offset >= start_ && offset + length <= end_;
}

bool TailWindow::map(int descriptor, uint64_t offset) {
  struct stat status;
  if (fstat(descriptor, &status) != 0) return false;
  const uint64_t start = offset & ~static_cast<uint64_t>(pageSize() - 1);
  const uint64_t end = std::min<uint64_t>(start + pageSize(), static_cast<uint64_t>(status.st_size));
  if (end <= offset) return false;
  // At the address of the last page, if there was one: neighbours keep sharing their page tables.
  const int fixed = base_ == nullptr ? 0 : MAP_FIXED;
  void* const page = mmap(base_, pageSize(), PROT_READ | PROT_WRITE, MAP_SHARED | fixed, descriptor,
                          static_cast<off_t>(start));
  if (page == MAP_FAILED) {
    unmap();
    return false;
  }
  base_ = static_cast<uint8_t*>(page);
  start_ = start;
  end_ = end;
  return true;
}

void TailWindow::unmap() {
  if (base_ != nullptr) munmap(base_, pageSize());
  base_ = nullptr;
}

/// Runs `write`, during which a fault in the window's page is caught. False when there was one.
template <class Write>
bool TailWindow::guarded(Write write) {
  copyFailed.store(false, std::memory_order_relaxed);
  copyingInto.store(base_, std::memory_order_relaxed);
  std::atomic_signal_fence(std::memory_order_seq_cst);
  write();
  std::atomic_signal_fence(std::memory_order_seq_cst);
  copyingInto.store(nullptr, std::memory_order_relaxed);
  return !copyFailed.load(std::memory_order_relaxed);
}

bool TailWindow::copy(uint64_t offset, const uint8_t* source, size_t length) {
  return guarded([&] { std::memcpy(base_ + (offset - start_), source, length); });
}

bool TailWindow::touch() {
  return guarded([&] { __atomic_fetch_or(base_, 0, __ATOMIC_SEQ_CST); });
}

bool repairWindowCopy(const void* address) {
  uint8_t* const page = copyingInto.load(std::memory_order_relaxed);
  const auto* const at = static_cast<const uint8_t*>(address);
  if (page == nullptr || at < page || at >= page + pageSize()) return false;
  copyFailed.store(true, std::memory_order_relaxed);
  return mmap(page, pageSize(), PROT_READ | PROT_WRITE, MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED;
}

}  // namespace ringmq
