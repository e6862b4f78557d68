#include "release.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

#include "wire.h"

namespace limit {

namespace {
/// More than a round of the benchmarks pulls. What was pulled stays in memory besides, as it is mapped.
constexpr uint64_t kKept = 1 << 30;
/// Released at once.
constexpr uint64_t kChunk = 4 << 20;
}  // namespace

PageRelease::PageRelease(uint64_t fileBytes, uint64_t logBytes)
    : fileBytes_(fileBytes), kept_(std::min(kKept, logBytes / 2)) {}

void PageRelease::durable(uint64_t end) {
  for (;;) {
    const uint64_t at = released_ % fileBytes_;
    const uint64_t length = std::min(kChunk, fileBytes_ - at);
    if (released_ + kept_ + length > end) return;
    const int failed = posix_fadvise(files_.front(), static_cast<off_t>(at), static_cast<off_t>(length),
                                     POSIX_FADV_DONTNEED);
    if (failed != 0) fail("posix_fadvise");
    released_ += length;
    if (released_ % fileBytes_ != 0) continue;
    close(files_.front());
    files_.pop_front();
  }
}

}  // namespace limit
