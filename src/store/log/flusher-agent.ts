/**
 * The flusher's thread. SYNC_FLUSH: syncs back to back while there is something, and wakes those who wait for it.
 * ASYNC_FLUSH: every `flushIntervalCommitLog` ms.
 */
import { systemClock } from '../../lib/clock.ts';
import type { Agent } from '../../ring/agent.ts';
import { COUNTER_BLOCKS, Counters, counterPlace } from '../../ring/counters.ts';
import { AWAITED, FLUSHED, LOG_START, Positions } from '../../ring/positions.ts';
import { StepClock } from '../../ring/step-clock.ts';
import { wakerOf } from '../../ring/wake.ts';
import { nativeDisk } from '../disk/native-disk.ts';
import type { FlusherShape } from '../engine-shapes.ts';
import { awaitsFlush } from '../options.ts';
import { Shortage } from '../shortage.ts';
import { Flusher } from './flusher.ts';
import { Segments } from './segments.ts';

const SYNCS = counterPlace('syncs');
const SYNC_MICROS = counterPlace('syncMicros');
const SYNC_MAX = counterPlace('syncMaxMicros');

export class FlusherAgent implements Agent {
  readonly spins = 50;
  readonly maxSleepMs: number;
  readonly #positions: Positions;
  readonly #segments: Segments;
  readonly #flusher: Flusher;
  readonly #interval: number;
  /** Those for whom every sync is news. */
  readonly #wakeWaiting: (() => void)[] = [];
  /** Those who put messages now and then are woken only while they wait for one to be durable. */
  readonly #wakeAwaiting: { awaited: number; wake: () => void }[] = [];
  readonly #counters: Counters;
  readonly #sync: StepClock;
  readonly #shortage = new Shortage('making the CommitLog durable');
  #next = 0;

  constructor({ broker }: FlusherShape) {
    const { store, wakes, participants } = broker;
    const sync = awaitsFlush(store);
    this.#positions = new Positions(broker.positions);
    this.#counters = new Counters(broker.counters, COUNTER_BLOCKS.flusher);
    this.#sync = new StepClock('sync', { limitMs: broker.slowMillis, counters: this.#counters });
    this.#segments = new Segments(nativeDisk, store.commitLogDirectory, store.mappedFileSizeCommitLog);
    this.#flusher = new Flusher(this.#segments, this.#positions, (errno) => this.#shortage.met(errno));
    this.#interval = sync ? 0 : store.flushIntervalCommitLog;
    this.maxSleepMs = sync ? 1000 : store.flushIntervalCommitLog;
    for (const [number, { wake, hearsSyncs }] of participants.entries()) {
      if (!hearsSyncs) this.#wakeAwaiting.push({ awaited: AWAITED + number, wake: wakerOf(wake) });
      else if (sync) this.#wakeWaiting.push(wakerOf(wake));
    }
    // Producers before the dispatcher: they wait, and where processors are few the first one woken runs first.
    if (sync) this.#wakeWaiting.push(wakerOf(wakes.dispatcher));
  }

  doWork(): number {
    const now = systemClock.monotonic();
    if (this.#shortage.pausing || (now < this.#next && !this.#positions.stopping)) return 0;
    this.#next = now + this.#interval;
    this.#sync.begin();
    const flushed = this.#flusher.doWork();
    const micros = this.#sync.end(flushed) * 1000;
    if (flushed === 0) return 0;
    this.#count(micros);
    if (!this.#flusher.behind) this.#shortage.over();
    for (const wake of this.#wakeWaiting) wake();
    const before = this.#positions.get(FLUSHED) - flushed;
    for (const { awaited, wake } of this.#wakeAwaiting) if (this.#positions.get(awaited) > before) wake();
    this.#segments.dropBefore(this.#positions.get(LOG_START));
    return Math.sign(flushed);
  }

  #count(micros: number): void {
    this.#counters.add(SYNCS);
    this.#counters.add(SYNC_MICROS, micros);
    this.#counters.raiseTo(SYNC_MAX, micros);
    this.#counters.latency(micros);
  }

  hasWork(): boolean {
    if (this.#shortage.pausing) return false;
    const due = this.#positions.stopping || systemClock.monotonic() >= this.#next;
    return due && this.#flusher.behind;
  }

  get drained(): boolean {
    // A stop does not wait for what may never come back; the store is not closed cleanly then.
    return !this.#flusher.behind || this.#shortage.lasts;
  }

  close(): void {
    this.#segments.close();
  }
}
