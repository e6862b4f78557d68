// How records enter a segment's file: written, not stored into the mapping. A store into a fresh page costs a fault, a
// page of zeros and, after the next sync, another fault; a write costs the copy.
#pragma once

#include <cstddef>
#include <cstdint>

#include "region.h"

namespace ringmq {

/// Writes the bytes at `offset`, the first eight of them last. A file that is shorter than its region gets -EIO instead
/// of growing again. Failures set the region's error. 0 or -errno.
int appendToRegion(Region* region, size_t offset, const uint8_t* bytes, size_t length);

}  // namespace ringmq
