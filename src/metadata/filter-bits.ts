/**
 * Which bits of a Bloom filter stand for a consumer's filter of a topic (`bloomFilterData`). RocketMQ with
 * `enableCalcFilterBitMap` sets them in front of each message that matches; it reads `consumerFilter.json` only when
 * every entry has the bits of its own settings. These are of its defaults: expectConsumerNumUseFilter 32,
 * maxErrorRateOfBloomFilter 20.
 */
import { murmur3 } from '../lib/murmur3.ts';

const CONSUMERS = 32;
const ERROR_RATE = 0.2;

const HASHES = Math.ceil(Math.log(ERROR_RATE) / Math.log(0.5));
const BITS = 8 * Math.ceil((CONSUMERS * Math.log2(1 / ERROR_RATE) * Math.LOG2E) / 8);

export interface FilterBits {
  bitNum: number;
  bitPos: number[];
}

export function filterBits(group: string, topic: string): FilterBits {
  const hash = murmur3(Buffer.from(`${group}#${topic}`));
  const low = Number(hash & 0xffffffffn) | 0;
  const high = Number(hash >> 32n) | 0;
  const bitPos: number[] = [];
  for (let i = 1; i <= HASHES; i++) {
    const combined = (low + Math.imul(i, high)) | 0;
    bitPos.push((combined < 0 ? ~combined : combined) % BITS);
  }
  return { bitNum: BITS, bitPos };
}
