#include "flusher.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <chrono>
#include <utility>

#include "wire.h"

namespace limit {

namespace {
constexpr std::chrono::milliseconds kInterval(500);
}

Flusher::Flusher(bool everyRound, uint64_t fileBytes, uint64_t logBytes)
    : everyRound_(everyRound), event_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)), pages_(fileBytes, logBytes) {
  if (event_ < 0) fail("eventfd");
  thread_ = std::thread([this] { run(); });
}

void Flusher::goOn(int descriptor) {
  const std::lock_guard<std::mutex> lock(mutex_);
  files_.push_back(descriptor);
  opened_.push_back(descriptor);
}

void Flusher::written(uint64_t end) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    end_ = end;
  }
  if (everyRound_) changed_.notify_one();
}

void Flusher::run() {
  std::unique_lock<std::mutex> lock(mutex_);
  for (;;) {
    const auto due = [this] { return ending_ || (everyRound_ && end_ != durable_); };
    if (everyRound_)
      changed_.wait(lock, due);
    else
      changed_.wait_for(lock, kInterval, due);
    const bool last = ending_;
    const uint64_t end = end_;
    if (end != durable_) {
      const std::vector<int> files = files_;
      files_.assign(1, files.back());
      for (const int file : std::exchange(opened_, {})) pages_.goOn(file);
      lock.unlock();
      for (const int file : files)
        if (fdatasync(file) != 0) fail("fdatasync");
      durable_.store(end, std::memory_order_release);
      const uint64_t one = 1;
      if (everyRound_ && write(event_, &one, sizeof one) < 0) fail("eventfd");
      pages_.durable(end);
      lock.lock();
    }
    if (last) return;
  }
}

void Flusher::stop() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    ending_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

}  // namespace limit
