#include "region_append.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "segment_file.h"

namespace ringmq {

namespace {

// Size and magic of a record: while they are zero there is no record.
constexpr size_t kHead = 8;

int writeAll(int descriptor, const uint8_t* bytes, size_t length, size_t offset) {
  while (length > 0) {
    const ssize_t written = pwrite(descriptor, bytes, length, static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return written < 0 ? -errno : -EIO;
    bytes += written;
    offset += static_cast<size_t>(written);
    length -= static_cast<size_t>(written);
  }
  return 0;
}

int append(const Region& region, size_t offset, const uint8_t* bytes, size_t length) {
  const int whole = checkWhole(region.descriptor, region.size);
  if (whole < 0) return whole;
  const size_t head = std::min(length, kHead);
  const int rest = writeAll(region.descriptor, bytes + head, length - head, offset + head);
  return rest < 0 ? rest : writeAll(region.descriptor, bytes, head, offset);
}

}  // namespace

int appendToRegion(Region* region, size_t offset, const uint8_t* bytes, size_t length) {
  const int result = append(*region, offset, bytes, length);
  if (result < 0) {
    region->lost.addAll();
    region->error.store(-result);
  }
  return result;
}

}  // namespace ringmq
