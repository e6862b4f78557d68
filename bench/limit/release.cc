#include "release.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

#include "wire.h"

namespace limit {

namespace {
/// What stays behind the end: more than a round of the benchmarks pulls.
constexpr uint64_t kKept = 1 << 30;
/// Released at once.
constexpr uint64_t kChunk = 4 << 20;
}  // namespace

void PageRelease::durable(uint64_t end) {
  while (released_ + kKept + kChunk <= end) {
    const uint64_t at = released_ % fileBytes_;
    const uint64_t length = std::min(kChunk, fileBytes_ - at);
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
