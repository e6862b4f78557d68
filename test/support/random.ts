/** Seeded random numbers: the same seed, the same run. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** Uniform in [0, 1) (mulberry32). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }

  /** Integer in [from, to], both included. */
  int(from: number, to: number): number {
    return from + Math.floor(this.next() * (to - from + 1));
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.int(0, items.length - 1)] as T;
  }

  bytes(length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    for (let i = 0; i < length; i++) bytes[i] = this.int(0, 255);
    return bytes;
  }
}

/** Whether the long runs were asked for (`npm run test:full`). */
export const fullRun = process.env['RINGMQ_TEST_FULL'] === '1';

/**
 * Seeds 1 to `count`, or the one that the environment variable names: how a failure is run again. `n-m` names all from
 * one to the other.
 */
export function seeds(variable: string, count: number): number[] {
  const given = process.env[variable];
  if (given === undefined || given === '') return Array.from({ length: count }, (_, i) => i + 1);
  const [from = 0, to = from] = given.split('-').map(Number);
  return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}
