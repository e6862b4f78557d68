/**
 * One machine of a master with its slaves: a simulated disk, clocks that go wrong, and a process that is master or
 * slave. The parts of the process are those of the broker: feeds, follower, rings, writer, flusher, recovery.
 */
import * as assert from 'uvu/assert';
import type { Clock } from '../../src/lib/clock.ts';
import { Feeds } from '../../src/replication/master/feeds.ts';
import { acknowledgedBy, type ReplicationOptions } from '../../src/replication/options.ts';
import { Follower } from '../../src/replication/slave/follower.ts';
import { MAX_RAW_PUTS, RawPuts } from '../../src/replication/slave/raw-puts.ts';
import { RAW_HEADER, REPLY_RING_BYTES } from '../../src/ring/append-records.ts';
import { plainChannel } from '../../src/ring/channel.ts';
import { APPENDED, APPENDED_TIME, FLUSHED } from '../../src/ring/positions.ts';
import { plainRing } from '../../src/ring/spsc-ring.ts';
import { Watermark } from '../../src/ring/watermark.ts';
import { CommitLog } from '../../src/store/log/commit-log.ts';
import { fileNameOf, Segments } from '../../src/store/log/segments.ts';
import { confirmedBy, type StoreOptions } from '../../src/store/options.ts';
import { QueueDirectory } from '../../src/store/queue/queue-directory.ts';
import { noteDiverged } from '../../src/store/recovery/diverged.ts';
import { openStore, type Store } from '../../src/store/store.ts';
import { servedLog } from '../../src/threads/replication/served-log.ts';
import { headFor, LOG, ROOT } from '../support/messages.ts';
import { crc, knownQueues } from '../unit/replication/support.ts';
import { takeRawPuts } from './raw-writer.ts';
import { SimDisk } from './sim-disk.ts';
import type { FlushDiskType } from './sim-machine.ts';

export const FILE = 68 * 1024;
export const TOPIC = 'T';
export const QUEUES = 2;
const MAX_RECORD = 64 * 1024;
const EPOCH = 1_700_000_000_000;

/** Faults planted by hand: what a simulation that is worth its name finds. */
export interface Planted {
  /** The master acknowledges what no slave has. */
  acknowledgesAlone?: boolean;
  /** A slave reports what it has appended and not yet made durable. */
  reportsEarly?: boolean;
}

/** Clocks of a machine: both drift, one is set now and then, the other begins anew with each boot. */
export class DriftingClock implements Clock {
  readonly #time: () => number;
  readonly #rate: number;
  #ahead = EPOCH;
  #bootedAt = 0;

  /** `time`: true ms. `rate`: of this clock against it. */
  constructor(time: () => number, rate: number) {
    this.#time = time;
    this.#rate = rate;
  }

  now(): number {
    return Math.floor(this.#ahead + this.#time() * this.#rate);
  }

  monotonic(): number {
    return this.#time() * this.#rate - this.#bootedAt;
  }

  /** Somebody sets it. */
  step(ms: number): void {
    this.#ahead += ms;
  }

  boot(): void {
    this.#bootedAt = this.#time() * this.#rate;
  }
}

export interface SlaveProcess {
  follower: Follower;
  /** Takes some of what waits for the writer. */
  write: (most: number) => void;
  /** errno of a write that failed, or 0. */
  fault: () => number;
}

export interface ReplicaHears {
  /** Why a connection was ended, or is refused. */
  told: (why: string) => void;
  /** The slave's end of its connection is closed by itself. */
  ended: () => void;
}

export class SimReplica {
  readonly name: string;
  readonly clock: DriftingClock;
  readonly planted: Planted;
  disk = new SimDisk();
  store!: Store;
  /** Counts processes: what belongs to an earlier one is gone. */
  process = 0;
  isUp = false;
  /** Of a master. */
  feeds: Feeds | undefined;
  /** Of a slave. */
  slave: SlaveProcess | undefined;
  /** Where the slave found that its log is another. */
  diverged: number | undefined;
  /** The queues were known when it opened: they may be dispatched. */
  canDispatch = false;
  /** Up to where the last process had made its log durable. */
  lastDurable = 0;
  /** Before this time (true ms) it is not started again. */
  restsUntil = 0;
  /** The machine lost its power, or the kernel pages: under ASYNC_FLUSH the end of the log may be gone. */
  hasForgotten = false;
  readonly #flush: FlushDiskType;
  readonly #options: ReplicationOptions;
  #acknowledged: Watermark | undefined;
  #confirmed!: Watermark;

  constructor(
    name: string,
    clock: DriftingClock,
    flush: FlushDiskType,
    options: ReplicationOptions,
    planted: Planted,
  ) {
    this.name = name;
    this.clock = clock;
    this.#flush = flush;
    this.#options = options;
    this.planted = planted;
  }

  /** Throws what the disk throws; the process is up when it returns. */
  openAsMaster(hears: ReplicaHears): void {
    this.#open();
    const { positions } = this.store;
    this.#acknowledged = new Watermark(
      positions,
      this.planted.acknowledgesAlone
        ? confirmedBy(this.store.options)
        : acknowledgedBy(this.store.options, this.#options),
    );
    this.feeds = new Feeds({
      log: servedLog(new Segments(this.disk, LOG, FILE), positions),
      positions,
      options: this.#options,
      now: () => this.clock.monotonic(),
      lines: { info: () => {}, warn: (fields) => hears.told(JSON.stringify(fields)), error: () => {} },
      news: () => {},
    });
    this.isUp = true;
  }

  openAsSlave(hears: ReplicaHears): void {
    this.#open();
    const { positions } = this.store;
    const segments = new Segments(this.disk, LOG, FILE);
    const copy = new CommitLog(segments, positions, QueueDirectory.plain(4), {
      position: positions.get(APPENDED),
      storeTimestamp: positions.get(APPENDED_TIME),
      isCopy: true,
    });
    const channel = plainChannel({ ringBytes: 1024 * 1024, slabs: 2, slabBytes: RAW_HEADER + MAX_RECORD });
    const replies = plainRing(MAX_RAW_PUTS * REPLY_RING_BYTES);
    const known = knownQueues(TOPIC);
    for (let id = 0; id < QUEUES; id++) known.add(TOPIC, id);
    const confirmed = this.planted.reportsEarly ? new Watermark(positions, [APPENDED]) : this.#confirmed;
    const follower = new Follower({
      log: servedLog(new Segments(this.disk, LOG, FILE), positions),
      options: this.#options,
      maxRecord: MAX_RECORD,
      known,
      puts: new RawPuts(channel.sender, replies.consumer),
      crc,
      now: () => this.clock.monotonic(),
      confirmed: () => confirmed.position,
      ask: () => assert.unreachable('all messages go to a known queue'),
      diverged: (position) => {
        this.diverged = position;
      },
      ended: (why) => {
        hears.told(why);
        hears.ended();
      },
    });
    const write = (most: number) => void takeRawPuts(channel.receiver, replies.producer, copy, most);
    this.slave = { follower, write, fault: () => copy.fault };
    this.isUp = true;
  }

  /** The process is gone, whyever. */
  gone(): void {
    this.lastDurable = this.durable;
    this.isUp = false;
    this.feeds = undefined;
    this.slave = undefined;
    this.diverged = undefined;
    this.disk.kill();
  }

  /** Its messages' record as it is in the log. Throws when the disk has no room. */
  append(queueId: number, body: string): { start: number; end: number } {
    const { physicalOffset } = this.store.append(TOPIC, headFor(queueId), Buffer.from(body), '');
    return { start: physicalOffset, end: this.end };
  }

  /** As the broker: what its log has beyond its master's is cut by the next opening. */
  noteDiverged(position: number): void {
    noteDiverged(this.disk, this.store.options, position);
  }

  get end(): number {
    return this.store.positions.get(APPENDED);
  }

  get durable(): number {
    return this.store.positions.get(FLUSHED);
  }

  /** End of what is as safe here as the flush mode promises. */
  get safe(): number {
    return this.#confirmed.position;
  }

  /** End of what is acknowledged; of a master. */
  get acknowledged(): number {
    return this.#acknowledged?.position ?? 0;
  }

  /** Bytes of the log in [from, to) as the process sees them; shorter where there are none. */
  bytes(from: number, to: number): Buffer {
    const pieces: Uint8Array[] = [];
    for (let at = from; at < to; ) {
      const start = at - (at % FILE);
      const path = `${LOG}/${fileNameOf(start)}`;
      if (this.disk.size(path) < 0) break;
      const end = Math.min(to, start + FILE);
      pieces.push(this.disk.bytesOf(path).subarray(at - start, end - start));
      at = end;
    }
    return pieces.length === 1 ? asBuffer(pieces[0] as Uint8Array) : Buffer.concat(pieces);
  }

  #open(): void {
    this.process++;
    const options: Partial<StoreOptions> = {
      maxMessageSize: 1024,
      mappedFileSizeCommitLog: FILE,
      mappedFileSizeConsumeQueue: 20 * 64,
      messageIndexEnable: false,
      flushDiskType: this.#flush,
    };
    const { disk, clock } = this;
    const queueDirectory = QueueDirectory.plain(16);
    this.store = openStore({ directory: ROOT, options, disk, clock, queueDirectory });
    this.#confirmed = new Watermark(this.store.positions, confirmedBy(this.store.options));
    this.canDispatch = Array.from({ length: QUEUES }, (_, id) => id).every(
      (id) => this.store.queue(TOPIC, id) !== undefined,
    );
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
