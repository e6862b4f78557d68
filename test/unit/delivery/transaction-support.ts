/** Transactions on a store in memory, with fake time and puts that end when, and as, the test says. */

import type {
  HalfCheck,
  HalfLimits,
  TransactionSettings,
} from '../../../src/delivery/transaction/context.ts';
import { halfOf } from '../../../src/delivery/transaction/half-message.ts';
import type { TransactionOffsets } from '../../../src/delivery/transaction/transaction-recovery.ts';
import { HALF_TOPIC } from '../../../src/lib/names.ts';
import type { Timers } from '../../../src/lib/timers.ts';
import { decodeRecord } from '../../../src/record/decode.ts';
import { APPENDED, DISPATCHED, FLUSHED, Positions } from '../../../src/ring/positions.ts';
import type { BeginPut, InternalMessage } from '../../../src/store/put/put-message.ts';
import { SETTINGS, TransactionRig } from '../../support/transaction-rig.ts';
import { FakeStore, message } from '../broker/support.ts';
import { FakeTime } from '../metadata/support.ts';

export const GROUP = 'g';
/** Nothing is gathered for longer, and every question that may be asked has been by then. */
export const OPS_MS = 250;
export const ROUND_MS = 3_200;

export interface LifeOptions {
  settings?: Partial<TransactionSettings>;
  limits?: HalfLimits;
  offsets?: TransactionOffsets;
  halfEnd?: number;
}

export interface HalfPlace {
  logOffset: number;
  queueOffset: number;
}

export class TransactionSetup {
  readonly time = new FakeTime();
  readonly store = new FakeStore();
  readonly checks: HalfCheck[] = [];
  readonly errors: string[] = [];
  readonly puts: InternalMessage[] = [];
  busy = false;
  /** Status with which puts of a topic are refused. */
  readonly refused = new Map<string, number>();
  /** Puts of these topics end when `endPuts` is called. */
  readonly held = new Set<string>();
  /** Reads that fail: positions in the log, and topics of queues. */
  readonly unreadable = new Set<number | string>();
  rig!: TransactionRig;
  #heldPuts: (() => void)[] = [];
  #life = { isOver: false };
  readonly #positions = new Positions();

  /** A broker begins; what one before had under way is lost. */
  async begin(options: LifeOptions = {}): Promise<void> {
    this.#heldPuts = [];
    const life = { isOver: false };
    this.#life.isOver = true;
    this.#life = life;
    const timers: Timers = {
      after: (ms, task) =>
        this.time.after(ms, () => {
          if (!life.isOver) task();
        }),
    };
    const { settings, ...rest } = options;
    this.rig = new TransactionRig({
      ...{ clock: this.time, timers, reads: this.#reads(), positions: this.#positions },
      ...{ put: this.#put, busy: () => this.busy, log: this.#log },
      ...{ check: (check: HalfCheck) => void this.checks.push(check) },
      ...{ settings: { ...SETTINGS, ...settings }, ...rest },
    });
    this.rig.producers.set(GROUP, true);
    await this.run(10);
  }

  /** Time passes, in turns of the agent. */
  async run(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += 10) {
      this.rig.work();
      await this.time.advance(10);
    }
    this.rig.work();
  }

  /** A network thread puts a half message. */
  half(body: string, properties: Record<string, string> = {}, group = GROUP): HalfPlace {
    const own = { TRAN_MSG: 'true', PGROUP: group, UNIQ_KEY: body, ...properties };
    const sent = message({ body: Buffer.from(body), properties: new Map(Object.entries(own)), queueId: 2 });
    return this.raw(halfOf(sent));
  }

  raw(put: InternalMessage): HalfPlace {
    const { entry } = this.store.append(put, this.time.now());
    this.#follow();
    this.rig.kind.poke();
    return { logOffset: entry.physicalOffset, queueOffset: entry.queueOffset };
  }

  end(
    place: HalfPlace,
    commits: boolean,
    more: Partial<{ group: string; answersCheck: boolean; waits: boolean }> = {},
  ) {
    this.rig.end({ ...place, commits, group: GROUP, ...more });
  }

  /** Ends it and returns the answer. */
  async ended(
    place: HalfPlace,
    commits: boolean,
    more = {},
  ): Promise<[code: number, remark: string] | undefined> {
    this.end(place, commits, more);
    await this.run(50);
    const [answer] = this.rig.answers();
    return answer && [answer.code, answer.remark];
  }

  /** Bodies in a topic, in order. */
  bodies(topic: string): string[] {
    const entries = this.store.readQueue(topic, topic === 't' ? 2 : 0, 0, 10_000);
    return entries.map(({ physicalOffset }) => {
      const record = this.store.recordAt(physicalOffset);
      return Buffer.from((record && decodeRecord(record))?.body ?? '').toString();
    });
  }

  endPuts(): void {
    for (const end of this.#heldPuts.splice(0)) end();
  }

  /** Nothing beyond this position is shown by queues. */
  dispatchTo(position: number): void {
    this.#positions.set(DISPATCHED, position);
  }

  readonly #put: BeginPut = (put, done) => {
    this.puts.push(put);
    const end = () => {
      const status = this.refused.get(put.topic);
      if (status !== undefined) return done({ status, remark: 'no', queueOffset: -1, physicalOffset: -1 });
      const { entry } = this.store.append(put, this.time.now());
      this.#follow();
      const { queueOffset, physicalOffset } = entry;
      done({ status: 0, remark: undefined, queueOffset, physicalOffset });
      if (put.topic === HALF_TOPIC) this.rig.kind.poke();
    };
    if (this.held.has(put.topic)) this.#heldPuts.push(end);
    else end();
  };

  #follow(): void {
    for (const position of [APPENDED, DISPATCHED, FLUSHED])
      this.#positions.set(position, this.store.maxPhysicalOffset);
  }

  readonly #log = {
    info: () => {},
    warn: (_fields: object, text: string) => void this.errors.push(text),
    error: (_fields: object, text: string) => void this.errors.push(text),
  };

  #reads() {
    const { store, unreadable } = this;
    const mayRead = (what: number | string) => {
      if (unreadable.has(what)) throw new Error('the device failed');
    };
    return {
      minOffset: (topic: string, queueId: number) => store.minOffset(topic, queueId),
      maxOffset: (topic: string, queueId: number) => store.maxOffset(topic, queueId),
      readQueue: (topic: string, queueId: number, offset: number, count: number) => {
        mayRead(topic);
        const from = Math.max(offset, store.minOffset(topic, queueId));
        return store.readQueue(topic, queueId, from, Math.max(0, offset + count - from));
      },
      recordAt: (position: number) => {
        mayRead(position);
        return store.recordAt(position);
      },
      storeTimeOf: (position: number) => {
        mayRead(position);
        const record = store.recordAt(position);
        return (record && decodeRecord(record))?.storeTimestamp ?? -1;
      },
      get minPhysicalOffset() {
        return store.minPhysicalOffset;
      },
      get maxPhysicalOffset() {
        return store.maxPhysicalOffset;
      },
    };
  }
}
