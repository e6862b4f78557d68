/**
 * What threads count for others to read: a block of numbers for each, written by that thread alone, with plain stores.
 * Readers add up when somebody asks; what they see may be a moment old, never torn (aligned 64-bit stores).
 *
 * This is the table of all counters. A name ends in its unit where it has one.
 */
export const COUNTERS = [
  // Network threads
  'connectionsOpened',
  'connectionsClosed',
  'connectionsRefused',
  'connectionsFailed',
  'bytesReceived',
  'bytesSent',
  'frames',
  'framesForwarded',
  'sendsDone',
  'pullsAnswered',
  'pullsParked',
  'pullsCold',
  // Longest reading for a pull
  'readMaxMicros',
  // Refusals by reason, of sends and pulls
  'refusedBusy',
  'refusedDiskFull',
  'refusedIllegal',
  'refusedPermission',
  'refusedUnknown',
  'refusedOther',
  // Writer, flusher, dispatcher
  'bytesAppended',
  'appendsFailed',
  'syncs',
  'syncMicros',
  'syncMaxMicros',
  'bytesDispatched',
  // Delivery: how transactions have ended, and how many are open now
  'transactionsCommitted',
  'transactionsRolledBack',
  'transactionsGivenUp',
  'transactionsOpen',
  // Timed messages that were delivered, or rolled
  'timersOut',
  // How far it has come with timed messages (0 = there were none), how many wait, and of those how many are due within
  // so many seconds and not within the bound before
  'timersOffset',
  'timersReadMillis',
  'timersWaiting',
  'timersWithin5',
  'timersWithin60',
  'timersWithin300',
  'timersWithin900',
  'timersWithin3600',
  'timersWithin14400',
  'timersWithin28800',
  'timersWithin86400',
  // Checkpoints of pops in memory
  'popCheckpoints',
  // Every thread; those with an event loop also tell how late their ticks are
  'wakeUps',
  'rounds',
  'busyMillis',
  'idleMillis',
  'ticks',
  'tickLateMicros',
  'tickLateMaxMicros',
  // When the last tick came, and when the step began that is under way (0 = none): ms of the monotonic clock
  'tickedAt',
  'stepBegan',
  // Send latency as this thread sees it, from frame to answer; its buckets come behind, the flusher's are of its syncs
  'sendMaxMicros',
] as const;

/** RocketMQ's. */
export const TIMER_BOUNDS_S = [5, 60, 300, 900, 3_600, 14_400, 28_800, 86_400] as const;

export type CounterName = (typeof COUNTERS)[number];

/** Threads with a block of their own; network threads come behind. */
export const COUNTER_BLOCKS = {
  control: 0,
  writer: 1,
  flusher: 2,
  dispatcher: 3,
  delivery: 4,
  network: 5,
} as const;

/** Latencies are counted in buckets of a quarter of a power of two of µs. */
const BUCKETS_PER_POWER = 4;
const POWERS = 32;
export const LATENCY_BUCKETS = POWERS * BUCKETS_PER_POWER;

const BLOCK = COUNTERS.length + LATENCY_BUCKETS;
const PLACES = new Map<CounterName, number>(COUNTERS.map((name, place) => [name, place]));

/** Where a counter stands in its block; to be looked up once, not per message. */
export function counterPlace(name: CounterName): number {
  return PLACES.get(name) as number;
}

/** Memory for the blocks of a broker with so many network threads. */
export function createCounters(networkThreads: number): SharedArrayBuffer {
  return new SharedArrayBuffer((COUNTER_BLOCKS.network + networkThreads) * BLOCK * 8);
}

/** Bucket of a latency in µs. */
export function bucketOf(micros: number): number {
  if (micros < 4) return Math.max(0, Math.trunc(micros));
  const bounded = Math.min(micros, 0x7fffffff) | 0;
  const power = 31 - Math.clz32(bounded);
  return power * BUCKETS_PER_POWER + ((bounded >> (power - 2)) & 3);
}

/** Least latency in µs that falls into the bucket. */
export function bucketStart(bucket: number): number {
  if (bucket < 2 * BUCKETS_PER_POWER) return Math.min(bucket, 4);
  const power = Math.floor(bucket / BUCKETS_PER_POWER);
  return 2 ** power + (bucket % BUCKETS_PER_POWER) * 2 ** (power - 2);
}

/** The block of one thread, as that thread writes it. */
export class Counters {
  readonly #block: Float64Array;

  constructor(buffer: SharedArrayBuffer, block: number) {
    this.#block = new Float64Array(buffer, block * BLOCK * 8, BLOCK);
  }

  /** A block that nobody reads, for tests and the store without threads. */
  static unread(): Counters {
    return new Counters(new SharedArrayBuffer(BLOCK * 8), 0);
  }

  add(place: number, value = 1): void {
    this.#block[place] = (this.#block[place] as number) + value;
  }

  set(place: number, value: number): void {
    this.#block[place] = value;
  }

  raiseTo(place: number, value: number): void {
    if (value > (this.#block[place] as number)) this.#block[place] = value;
  }

  get(place: number): number {
    return this.#block[place] as number;
  }

  /** Counts a latency. */
  latency(micros: number): void {
    const place = COUNTERS.length + bucketOf(micros);
    this.#block[place] = (this.#block[place] as number) + 1;
  }
}

/** All blocks, as whoever reports reads them. */
export class CounterSums {
  readonly #all: Float64Array;

  constructor(buffer: SharedArrayBuffer) {
    this.#all = new Float64Array(buffer);
  }

  /** Sum over all threads. */
  sum(name: CounterName): number {
    let sum = 0;
    for (let at = counterPlace(name); at < this.#all.length; at += BLOCK) sum += this.#all[at] as number;
    return sum;
  }

  /** Greatest value of any thread. */
  max(name: CounterName): number {
    let max = 0;
    for (let at = counterPlace(name); at < this.#all.length; at += BLOCK)
      max = Math.max(max, this.#all[at] as number);
    return max;
  }

  /** Value of one thread. */
  of(block: number, name: CounterName): number {
    return this.#all[block * BLOCK + counterPlace(name)] ?? 0;
  }

  /** Latencies of sends, by bucket, over all network threads. */
  latencies(): Float64Array {
    const buckets = new Float64Array(LATENCY_BUCKETS);
    for (let block = COUNTER_BLOCKS.network; block * BLOCK < this.#all.length; block++) {
      for (const [i, count] of this.latenciesOf(block).entries()) buckets[i] = (buckets[i] as number) + count;
    }
    return buckets;
  }

  /** Latencies that one thread has counted, by bucket. */
  latenciesOf(block: number): Float64Array {
    const from = block * BLOCK + COUNTERS.length;
    return this.#all.subarray(from, from + LATENCY_BUCKETS);
  }
}

/** Least latency in µs that a share (0 to 1) of all that were counted stays below or meets; 0 when none was counted. */
export function quantileMicros(buckets: Float64Array, share: number): number {
  const total = buckets.reduce((sum, count) => sum + count, 0);
  let left = total * share;
  for (let bucket = 0; bucket < buckets.length && total > 0; bucket++) {
    left -= buckets[bucket] as number;
    if (left <= 0) return bucketStart(bucket + 1);
  }
  return 0;
}
