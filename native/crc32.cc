#include "crc32.h"

#include <array>

#include "crc32_polynomial.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace ringmq {

namespace {

using Slices = std::array<std::array<uint32_t, 256>, 8>;

constexpr Slices makeSlices() {
  Slices slices{};
  for (uint32_t byte = 0; byte < 256; byte += 1) {
    uint32_t remainder = byte;
    for (int bit = 0; bit < 8; bit += 1) remainder = timesX(remainder);
    slices[0][byte] = remainder;
  }
  for (size_t slice = 1; slice < 8; slice += 1) {
    for (uint32_t byte = 0; byte < 256; byte += 1) {
      const uint32_t previous = slices[slice - 1][byte];
      slices[slice][byte] = (previous >> 8) ^ slices[0][previous & 0xff];
    }
  }
  return slices;
}

constexpr Slices kSlices = makeSlices();

uint32_t littleEndian(const uint8_t* bytes) {
  return static_cast<uint32_t>(bytes[0]) | static_cast<uint32_t>(bytes[1]) << 8 |
         static_cast<uint32_t>(bytes[2]) << 16 | static_cast<uint32_t>(bytes[3]) << 24;
}

/// Eight bytes a step, one table for the distance of each from the end of the step.
uint32_t updateByTable(uint32_t state, const uint8_t* bytes, size_t length) {
  for (; length >= 8; bytes += 8, length -= 8) {
    const uint32_t low = state ^ littleEndian(bytes);
    const uint32_t high = littleEndian(bytes + 4);
    state = kSlices[7][low & 0xff] ^ kSlices[6][(low >> 8) & 0xff] ^ kSlices[5][(low >> 16) & 0xff] ^
            kSlices[4][low >> 24] ^ kSlices[3][high & 0xff] ^ kSlices[2][(high >> 8) & 0xff] ^
            kSlices[1][(high >> 16) & 0xff] ^ kSlices[0][high >> 24];
  }
  for (; length > 0; bytes += 1, length -= 1) state = (state >> 8) ^ kSlices[0][(state ^ *bytes) & 0xff];
  return state;
}

#if defined(__x86_64__)

constexpr size_t kBlock = 16;
constexpr size_t kStride = 4 * kBlock;
// Below this the tables are as fast.
constexpr size_t kFoldingPays = 2 * kStride;

#define RINGMQ_CLMUL __attribute__((target("pclmul,sse4.1")))

RINGMQ_CLMUL inline __m128i loadBlock(const uint8_t* bytes) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes));
}

/// Moves a block ahead by the distance of the keys and adds the block that is there.
RINGMQ_CLMUL inline __m128i fold(__m128i block, __m128i keys, __m128i next) {
  const __m128i low = _mm_clmulepi64_si128(block, keys, 0x00);
  const __m128i high = _mm_clmulepi64_si128(block, keys, 0x11);
  return _mm_xor_si128(_mm_xor_si128(low, high), next);
}

/// Folds all whole strides and blocks into a last one that has the same remainder; the tables do the rest.
RINGMQ_CLMUL uint32_t updateByFolding(uint32_t state, const uint8_t* bytes, size_t length) {
  const __m128i strideKeys = _mm_set_epi64x(foldingKey(kStride * 8 - 32), foldingKey(kStride * 8 + 32));
  const __m128i blockKeys = _mm_set_epi64x(foldingKey(kBlock * 8 - 32), foldingKey(kBlock * 8 + 32));

  __m128i a = _mm_xor_si128(loadBlock(bytes), _mm_cvtsi32_si128(static_cast<int>(state)));
  __m128i b = loadBlock(bytes + kBlock);
  __m128i c = loadBlock(bytes + 2 * kBlock);
  __m128i d = loadBlock(bytes + 3 * kBlock);
  bytes += kStride;
  length -= kStride;
  for (; length >= kStride; bytes += kStride, length -= kStride) {
    a = fold(a, strideKeys, loadBlock(bytes));
    b = fold(b, strideKeys, loadBlock(bytes + kBlock));
    c = fold(c, strideKeys, loadBlock(bytes + 2 * kBlock));
    d = fold(d, strideKeys, loadBlock(bytes + 3 * kBlock));
  }
  a = fold(fold(fold(a, blockKeys, b), blockKeys, c), blockKeys, d);
  for (; length >= kBlock; bytes += kBlock, length -= kBlock) a = fold(a, blockKeys, loadBlock(bytes));

  uint8_t folded[kBlock];
  _mm_storeu_si128(reinterpret_cast<__m128i*>(folded), a);
  return updateByTable(updateByTable(0, folded, kBlock), bytes, length);
}

const bool kCanFold = __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("sse4.1");

#endif

}  // namespace

uint32_t crc32(const uint8_t* bytes, size_t length) {
  constexpr uint32_t kInverted = 0xffffffff;
#if defined(__x86_64__)
  if (length >= kFoldingPays && kCanFold) return ~updateByFolding(kInverted, bytes, length);
#endif
  return ~updateByTable(kInverted, bytes, length);
}

}  // namespace ringmq
