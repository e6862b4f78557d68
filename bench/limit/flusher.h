// The thread that syncs the log: all that was written when the sync before ended (group commit), or every 500
// ms; and that lets its old pages go.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

#include "release.h"

namespace limit {

class Flusher {
 public:
  /// `everyRound`: syncs whenever something was written, and says so by an event of `descriptor()`.
  Flusher(bool everyRound, uint64_t fileBytes, uint64_t logBytes);

  /// The log goes on in this file.
  void goOn(int descriptor);
  /// The log was written up to here.
  void written(uint64_t end);
  /// Position up to which the log is on the device.
  uint64_t durable() const { return durable_.load(std::memory_order_acquire); }
  /// Readable when `durable` has moved on.
  int descriptor() const { return event_; }
  /// Syncs what there is, and ends.
  void stop();

 private:
  void run();

  const bool everyRound_;
  const int event_;
  PageRelease pages_;
  std::mutex mutex_;
  std::condition_variable changed_;
  /// The file that is written to, and before it those that it followed since the last sync.
  std::vector<int> files_;
  /// Those that `pages_` does not know yet.
  std::vector<int> opened_;
  uint64_t end_ = 0;
  bool ending_ = false;
  std::atomic<uint64_t> durable_{0};
  std::thread thread_;
};

}  // namespace limit
