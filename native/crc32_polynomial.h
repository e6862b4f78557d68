// Arithmetic modulo the CRC-32 polynomial, from which tables and folding keys are computed at compile time.
//
// Polynomials are reflected: the highest bit of a word is the coefficient of x^0.
#pragma once

#include <cstdint>

namespace ringmq {

constexpr uint32_t kReflectedPolynomial = 0xedb88320;

constexpr uint32_t timesX(uint32_t remainder) {
  return (remainder & 1) != 0 ? (remainder >> 1) ^ kReflectedPolynomial : remainder >> 1;
}

/// x^exponent modulo the polynomial, one place higher: a carry-less product of reflected words comes out one bit short.
constexpr int64_t foldingKey(unsigned exponent) {
  uint32_t remainder = 0x80000000;
  for (; exponent > 0; exponent -= 1) remainder = timesX(remainder);
  return static_cast<int64_t>(remainder) << 1;
}

static_assert(foldingKey(4 * 128 + 32) == 0x154442bd4, "the key that the literature gives for four blocks");
static_assert(foldingKey(128 - 32) == 0x0ccaa009e, "and for one block");

}  // namespace ringmq
