// CRC-32 as zlib and the Java platform compute it (polynomial 0x04C11DB7, reflected, inverted at both ends).
#pragma once

#include <cstddef>
#include <cstdint>

namespace ringmq {

uint32_t crc32(const uint8_t* bytes, size_t length);

}  // namespace ringmq
