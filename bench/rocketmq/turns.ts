/**
 * One contestant at a time: the others stand still while a round is measured. An idle broker may have much left to do.
 * RocketMQ's checks of its half topic take one to one and a half processors for a minute after a round of transactions,
 * and what they take is missing where the other broker is measured.
 *
 * So a broker first gets time for what its own round left behind, which is not to burden its next round either. Then its
 * processes are stopped (SIGSTOP) until the other's round is over.
 */
import { setTimeout as sleep } from 'node:timers/promises';

/** What stands still: a broker on stage (target.ts). */
export interface Pausable {
  /** CPU time that its process has used so far. */
  readonly cpuSeconds: number;
  pause(): void;
  resume(): void;
}

/** Below this share of one processor a broker is at rest. An idle RocketMQ uses 0.08 to 0.12. */
const REST_SHARE = 0.2;
const LOOK_MILLIS = 1000;
/** A broker that never rests is stopped all the same. */
export const SETTLE_SECONDS_MAX = 90;

/** Share of one processor that these use together, over one look. */
async function shareOf(brokers: readonly Pausable[], lookMillis: number): Promise<number> {
  const used = (): number => brokers.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0);
  const before = used();
  const at = performance.now();
  await sleep(lookMillis);
  return (used() - before) / ((performance.now() - at) / 1000);
}

/** Waits until these brokers are at rest, at most `SETTLE_SECONDS_MAX`. Returns the share of the last look. */
export async function settle(brokers: readonly Pausable[], lookMillis = LOOK_MILLIS): Promise<number> {
  if (brokers.length === 0) return 0;
  const until = performance.now() + SETTLE_SECONDS_MAX * 1000;
  for (;;) {
    const share = await shareOf(brokers, lookMillis);
    if (share < REST_SHARE || performance.now() > until) return share;
  }
}

/** Does `work` while these stand still; they go on however it ends. */
export async function alone<T>(others: readonly Pausable[], work: () => Promise<T>): Promise<T> {
  for (const other of others) other.pause();
  try {
    return await work();
  } finally {
    for (const other of others) other.resume();
  }
}
