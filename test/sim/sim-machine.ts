/**
 * A machine on which something becomes due: a store on a simulated disk, a clock that is set, an agenda, and puts that
 * wait to be as durable as promised. What the simulations of delay levels, timers and transactions have in common.
 */
import { Agenda } from '../../src/delivery/agenda.ts';
import { encodeProperties } from '../../src/record/properties.ts';
import { APPENDED, FLUSHED } from '../../src/ring/positions.ts';
import { Watermark } from '../../src/ring/watermark.ts';
import { confirmedBy } from '../../src/store/options.ts';
import type { InternalMessage } from '../../src/store/put/put-message.ts';
import { QueueDirectory } from '../../src/store/queue/queue-directory.ts';
import { openStore, type Store } from '../../src/store/store.ts';
import type { Random } from '../support/random.ts';
import { SimDisk } from './sim-disk.ts';

export const SIM_HOST = { address: Uint8Array.of(10, 0, 0, 1), port: 10911 };
export const YEAR_MS = 365 * 24 * 3_600_000;

/** Whoever has work does it so often, ms. */
const TURN_MS = 20;

export type FlushDiskType = 'SYNC_FLUSH' | 'ASYNC_FLUSH';

export class SimMachine {
  readonly disk = new SimDisk();
  readonly flushDiskType: FlushDiskType;
  /** Ms since the begin that nobody sets; the clocks go by it. */
  time = 0;
  /** By so much the clock that is set is ahead of it. */
  ahead = 1_700_000_000_000;
  readonly clock = {
    now: () => this.time + this.ahead,
    monotonic: () => this.time - this.#bootedAt,
  };
  store!: Store;
  agenda!: Agenda;
  readonly #delayLevels: string | undefined;
  #bootedAt = -1_000;
  #confirmed!: Watermark;
  /** Puts that wait to be durable; those that fail have no end. */
  #waiting: { end: number; done: () => void }[] = [];

  /** `open` starts its first process. */
  constructor(flushDiskType: FlushDiskType, delayLevels?: string) {
    this.flushDiskType = flushDiskType;
    this.#delayLevels = delayLevels;
  }

  /** A process starts: what the one before had under way is gone. */
  open(): void {
    const { disk, clock, flushDiskType } = this;
    this.store = openStore({
      directory: '/store',
      options: {
        commitLogDirectory: '/store/commitlog',
        maxMessageSize: 1024,
        mappedFileSizeCommitLog: 256 * 1024,
        mappedFileSizeConsumeQueue: 20 * 300,
        flushDiskType,
        messageIndexEnable: false,
      },
      ...(this.#delayLevels === undefined ? {} : { delayLevels: this.#delayLevels }),
      disk,
      clock,
      queueDirectory: QueueDirectory.plain(64),
    });
    const { positions, options } = this.store;
    this.#confirmed = new Watermark(positions, confirmedBy(options));
    this.#waiting = [];
    this.agenda = new Agenda(clock);
  }

  /** The process ends as it should, and the machine is without one for a moment. */
  async close(random: Random): Promise<void> {
    await this.store.close();
    this.time += random.int(0, 3_000);
  }

  /** It comes up after a power cut, and its monotonic clock begins anew. */
  boot(random: Random): void {
    this.#bootedAt = this.time - random.int(10, 60) * 1_000;
  }

  /** The store by topic and queue. */
  reads() {
    const { directory, reader } = this.store;
    const queue = (topic: string, queueId: number) => this.store.queue(topic, queueId);
    return {
      minOffset: (topic: string, queueId: number) => directory.minimum(queue(topic, queueId)?.id ?? 0),
      maxOffset: (topic: string, queueId: number) => directory.maximum(queue(topic, queueId)?.id ?? 0),
      readQueue: (topic: string, queueId: number, offset: number, count: number) => {
        const known = queue(topic, queueId);
        return known === undefined ? [] : reader.readQueue(known, offset, count);
      },
      recordAt: (position: number) => reader.recordAt(position),
      storeTimeOf: (position: number) => reader.storeTimeOf(position),
    };
  }

  /** `end`: position behind the record. */
  append({ topic, queueId, body, properties, ...rest }: InternalMessage) {
    const head = { ...rest, queueId, storeHost: SIM_HOST };
    const placed = this.store.append(topic, head, body, encodeProperties([...properties]));
    return { ...placed, end: this.end };
  }

  /** Position behind what was appended last. */
  get end(): number {
    return this.store.positions.get(APPENDED);
  }

  /** Position up to which the log is durable. */
  get durable(): number {
    return this.store.positions.get(FLUSHED);
  }

  /** Position up to which it is as durable as promised: what lies behind is not acknowledged. */
  get confirmed(): number {
    return this.#confirmed.position;
  }

  /** `done` is called by `endPuts` when the log is as durable as promised up to `end`. */
  whenConfirmed(end: number, done: () => void): void {
    this.#waiting.push({ end, done });
  }

  endPuts(): void {
    for (let [first] = this.#waiting; first !== undefined; [first] = this.#waiting) {
      if (first.end > this.#confirmed.position) return;
      this.#waiting.shift();
      first.done();
    }
  }

  /** Time passes, and whoever has work does it. */
  advance(ms: number, work: () => void): void {
    const until = this.time + ms;
    while (this.time < until) {
      this.time = Math.min(until, this.time + TURN_MS);
      work();
    }
  }
}
