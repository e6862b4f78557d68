// The page at which a file grows, mapped, so that a small append is a copy in memory and needs neither a system call
// nor a descriptor.
//
// A page is mapped only after a write call has put something into it: then the file system has set its block aside,
// and a full disk cannot fail the copies that follow. A copy that fails all the same (an I/O error, a file that
// somebody shrank) is noticed: the fault guard asks `repairWindowCopy`.
#pragma once

#include <cstddef>
#include <cstdint>

namespace ringmq {

class TailWindow {
 public:
  TailWindow() = default;
  ~TailWindow() { unmap(); }
  TailWindow(const TailWindow&) = delete;
  TailWindow& operator=(const TailWindow&) = delete;

  bool mapped() const { return base_ != nullptr; }
  bool covers(uint64_t offset, size_t length) const;
  /// Maps the page of the file that contains `offset`, in place of any other. False when the system refuses.
  bool map(int descriptor, uint64_t offset);
  void unmap();
  /// Covers nothing from now on; the memory stays until `map` or `unmap`, as other threads may be at it.
  void abandon() { end_ = 0; }
  /// Copies what the window covers. False: it did not reach the file.
  bool copy(uint64_t offset, const uint8_t* source, size_t length);
  /// Makes the page dirty and leaves its content as it is, whoever else writes to it. False: it cannot be read.
  bool touch();

 private:
  template <class Write>
  bool guarded(Write write);

  uint8_t* base_ = nullptr;
  uint64_t start_ = 0;
  /// End of the page or of the file, whichever comes first.
  uint64_t end_ = 0;
};

/// Whether this thread was copying into the window that contains the address; the rest of its copy then goes nowhere.
/// Async-signal-safe.
bool repairWindowCopy(const void* address);

}  // namespace ringmq
