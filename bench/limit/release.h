// Letting pages of the log go that are on the device and far behind its end: the log gets them again, where each
// fresh one would have to be found and cleared, on a virtual machine by the host too.
#pragma once

#include <cstdint>
#include <deque>

namespace limit {

class PageRelease {
 public:
  /// `logBytes`: how much of the log there is at most.
  PageRelease(uint64_t fileBytes, uint64_t logBytes);

  /// The log goes on in this file, which is closed when it is let go.
  void goOn(int descriptor) { files_.push_back(descriptor); }
  /// All that is written is on the device up to here.
  void durable(uint64_t end);

 private:
  const uint64_t fileBytes_;
  /// What stays behind the end.
  const uint64_t kept_;
  /// From the one where `released_` lies.
  std::deque<int> files_;
  uint64_t released_ = 0;
};

}  // namespace limit
