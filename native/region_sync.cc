#include "region_sync.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "segment_file.h"

namespace ringmq {

namespace {

// Older system headers lack it; older kernels answer EINVAL.
#ifdef MADV_POPULATE_READ
constexpr int kPopulateRead = MADV_POPULATE_READ;
#else
constexpr int kPopulateRead = 22;
#endif

constexpr size_t kResidencyBatch = 4096;
// The kernel holds the lock of the address space for one call; other threads' faults wait for it.
constexpr size_t kPopulateBytes = 4 << 20;

struct Pages {
  uint8_t* base;
  size_t bytes;
};

Pages pagesOf(const Region& region, size_t from, size_t length) {
  const size_t first = from & ~(pageSize() - 1);
  return {region.base + first, from + length - first};
}

/// Pages that were lost elsewhere in the file are none of this range's trouble; a file that was cut short is.
int health(const Region& region, size_t from, size_t length) {
  const int whole = region.descriptor < 0 ? 0 : checkWhole(region.descriptor, region.size);
  return whole < 0 ? whole : -errorIn(region, from, length);
}

/// By the descriptor where there is one: that takes no lock of the address space, for which other threads' faults wait.
int makeDurable(const Region& region, const Pages& pages) {
  const int result = region.descriptor < 0 ? msync(pages.base, pages.bytes, MS_SYNC) : fdatasync(region.descriptor);
  return result == 0 ? 0 : -errno;
}

void touchPages(const Pages& pages) {
  const volatile uint8_t* base = pages.base;
  for (size_t offset = 0; offset < pages.bytes; offset += pageSize()) static_cast<void>(base[offset]);
}

}  // namespace

int syncRegion(const Region& region, size_t from, size_t to) {
  const Pages pages = pagesOf(region, from, to - from);
  const int before = health(region, from, to - from);
  if (before < 0) return before;
  const int synced = pages.bytes == 0 ? 0 : makeDurable(region, pages);
  return synced < 0 ? synced : health(region, from, to - from);
}

int adviceByName(const std::string& name) {
  static constexpr std::pair<const char*, int> kAdvices[] = {
      {"normal", MADV_NORMAL},     {"random", MADV_RANDOM},     {"sequential", MADV_SEQUENTIAL},
      {"willneed", MADV_WILLNEED}, {"dontneed", MADV_DONTNEED}, {"populateRead", kPopulateRead},
  };
  for (const auto& [known, advice] : kAdvices) {
    if (name == known) return advice;
  }
  return -1;
}

int adviseRegion(const Region& region, size_t from, size_t length, int advice) {
  if (length == 0) return 0;
  const Pages pages = pagesOf(region, from, length);
  return madvise(pages.base, pages.bytes, advice) == 0 ? 0 : -errno;
}

int64_t residentPages(const Region& region, size_t from, size_t length) {
  Pages pages = pagesOf(region, from, length);
  unsigned char state[kResidencyBatch];
  int64_t resident = 0;
  while (length > 0 && pages.bytes > 0) {
    const size_t bytes = std::min(pages.bytes, kResidencyBatch * pageSize());
    if (mincore(pages.base, bytes, state) != 0) return -errno;
    const size_t count = (bytes + pageSize() - 1) / pageSize();
    resident += std::count_if(state, state + count, [](unsigned char page) { return (page & 1) != 0; });
    pages.base += bytes;
    pages.bytes -= bytes;
  }
  return resident;
}

int populateRegion(const Region& region, size_t from, size_t length) {
  Pages pages = pagesOf(region, from, length);
  while (length > 0 && pages.bytes > 0) {
    const size_t bytes = std::min(pages.bytes, kPopulateBytes);
    if (madvise(pages.base, bytes, kPopulateRead) != 0) {
      if (errno != EINVAL) return -errno;
      touchPages({pages.base, bytes});
    }
    pages.base += bytes;
    pages.bytes -= bytes;
  }
  return -errorIn(region, from, length);
}

}  // namespace ringmq
