// Memory that all threads of the process see at one address: anonymous, or a mapped segment file.
//
// The registry is process-wide. A region lives while somebody has it open, has it attached, or works on it in the
// thread pool (a pin); the last one to leave unmaps it. `Region` structs themselves are never freed (some hundred
// bytes a region), so a racing lookup and the SIGBUS handler can always look into the one that they found.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>

#include "segment_file.h"

namespace ringmq {

/// The pages of a segment that read as zeros because the device failed. As many as a failing device shows before
/// somebody looks after it; where there are more, all count as lost. Only ever grows; async-signal-safe.
class LostPages {
 public:
  void add(uint64_t page);
  void addAll() { all_.store(true); }
  bool overlap(uint64_t first, uint64_t last) const;

 private:
  static constexpr uint32_t kMost = 64;

  std::atomic<bool> all_{false};
  std::atomic<uint32_t> count_{0};
  // Page numbers plus one: 0 = not noted yet.
  std::atomic<uint64_t> pages_[kMost] = {};
};

struct Region {
  int32_t id = 0;
  uint8_t* base = nullptr;
  size_t size = 0;
  bool fileBacked = false;
  /// The file's own descriptor, for appending; -1 for anonymous memory.
  int descriptor = -1;
  dev_t device = 0;
  ino_t inode = 0;
  /// Set by the fault guard and by a failed append; where, is in `lost`.
  std::atomic<int32_t> error{0};
  LostPages lost;

  // The counts belong to the registry's mutex.
  int32_t opens = 0;
  int32_t attachments = 0;
  int32_t pins = 0;
};

/// errno of the trouble that [from, from + length) of the region is in, or 0.
int32_t errorIn(const Region& region, size_t from, size_t length);

size_t pageSize();
/// Bytes of whole pages that the region covers.
size_t mappedSize(const Region& region);

/// Takes no lock. What it returns stays mapped only while the caller holds an open, an attachment or a pin.
Region* findRegion(int32_t id);
/// The region of the segment that contains the address; async-signal-safe.
Region* findSegmentAt(const void* address);

/// Id or -errno.
int32_t allocateRegion(size_t bytes);
/// `create`: null = a file that is missing stays missing.
int32_t openSegment(const std::string& path, size_t bytes, const SegmentSize* create);
/// A region of its own, which nobody may write to; the file may be one that this user can only read.
int32_t openSegmentForReading(const std::string& path, size_t bytes);
/// False when the region is unknown or no open is left to give back.
bool closeRegion(int32_t id);
int32_t regionReferences(int32_t id);

enum class Holder { kAttachment, kPin };
/// Null when the region is gone.
Region* holdRegion(int32_t id, Holder holder);
void releaseRegion(Region* region, Holder holder);

/// A region that stays mapped for as long as this object lives.
class PinnedRegion {
 public:
  explicit PinnedRegion(int32_t id) : region_(holdRegion(id, Holder::kPin)) {}
  ~PinnedRegion() {
    if (region_ != nullptr) releaseRegion(region_, Holder::kPin);
  }
  PinnedRegion(const PinnedRegion&) = delete;
  PinnedRegion& operator=(const PinnedRegion&) = delete;
  Region* get() const { return region_; }
  Region* operator->() const { return region_; }

 private:
  Region* region_;
};

}  // namespace ringmq
