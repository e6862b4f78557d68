/**
 * A master and its slave on simulated disks, with a network that cuts, delays and loses: crashes, power cuts and lost
 * connections at random, by seed. The parts are those of the broker: feed, follower, rings, writer, flusher, recovery.
 *
 * Held: at the moment of an acknowledgement the slave has the message, as safe as the flush mode says; what was
 * acknowledged under SYNC_FLUSH is there for ever, under ASYNC_FLUSH as long as no power was cut; once nothing fails
 * any more both logs have the same bytes.
 */
import * as assert from 'uvu/assert';
import { Feeds } from '../../src/replication/master/feeds.ts';
import type { ServedLog, SlaveFeed } from '../../src/replication/master/slave-feed.ts';
import { DEFAULT_REPLICATION_OPTIONS, type ReplicationOptions } from '../../src/replication/options.ts';
import { Follower } from '../../src/replication/slave/follower.ts';
import type { MasterStream } from '../../src/replication/slave/master-stream.ts';
import { MAX_RAW_PUTS, RawPuts } from '../../src/replication/slave/raw-puts.ts';
import { RAW_HEADER, REPLY_RING_BYTES } from '../../src/ring/append-records.ts';
import { plainChannel } from '../../src/ring/channel.ts';
import { APPENDED, FLUSHED, type Positions, REPLICATED } from '../../src/ring/positions.ts';
import { plainRing } from '../../src/ring/spsc-ring.ts';
import { CommitLog } from '../../src/store/log/commit-log.ts';
import { Segments } from '../../src/store/log/segments.ts';
import { QueueDirectory } from '../../src/store/queue/queue-directory.ts';
import { noteDiverged } from '../../src/store/recovery/diverged.ts';
import { servedLog } from '../../src/threads/replication/served-log.ts';
import { headFor, LOG, type SmallStore, smallStore } from '../support/messages.ts';
import type { Random } from '../support/random.ts';
import { crc, knownQueues } from '../unit/replication/support.ts';
import { takeRawPuts } from './raw-writer.ts';
import { SimDisk } from './sim-disk.ts';
import type { FlushDiskType } from './sim-machine.ts';

const FILE = 68 * 1024;
const MAX_RECORD = 64 * 1024;
/** Of the log: up to where the first message says which one it is. */
const FIRST_MESSAGE = 110;

export interface ReplicationTotals {
  acknowledged: number;
  cut: number;
  connections: number;
}

export interface Faults {
  /** Planted by hand: the master acknowledges what no slave has. */
  acknowledgesAlone?: boolean;
}

interface Sent {
  end: number;
  body: string;
  isAcknowledged: boolean;
}

/** Bytes on their way in one direction. */
class Pipe {
  #bytes: Buffer[] = [];

  send(bytes: Uint8Array): void {
    this.#bytes.push(Buffer.from(bytes));
  }

  /** Some of what is under way, cut anywhere. */
  some(random: Random): Buffer {
    const all = Buffer.concat(this.#bytes);
    const taken = all.subarray(0, random.int(0, all.length));
    this.#bytes = [all.subarray(taken.length)];
    return taken;
  }
}

/** One connection, until it is lost. */
interface Link {
  feed: SlaveFeed;
  stream: MasterStream;
  down: Pipe;
  up: Pipe;
}

function servedLogOf(disk: SimDisk, positions: Positions): ServedLog {
  return servedLog(new Segments(disk, LOG, FILE), positions);
}

export class ReplicationSimulation {
  readonly totals: ReplicationTotals = { acknowledged: 0, cut: 0, connections: 0 };
  readonly #random: Random;
  readonly #flush: FlushDiskType;
  readonly #faults: Faults;
  readonly #options: ReplicationOptions;
  readonly #disks = { master: new SimDisk(), slave: new SimDisk() };
  #master!: SmallStore;
  #slave!: SmallStore;
  #feeds!: Feeds;
  #follower!: Follower;
  #copy!: CommitLog;
  #channel!: ReturnType<typeof plainChannel>;
  #replies!: ReturnType<typeof plainRing>;
  #link: Link | undefined;
  #now = 1_000_000;
  #sent: Sent[] = [];
  #number = 0;
  #diverged: number | undefined;
  /** Why the last connection has ended. */
  #why = '';
  /** Of the master, or of both: what was acknowledged before under ASYNC_FLUSH may be gone. */
  #powerWasCut = false;

  constructor(random: Random, faults: Faults = {}) {
    this.#random = random;
    this.#faults = faults;
    this.#flush = random.pick(['SYNC_FLUSH', 'ASYNC_FLUSH']);
    this.#options = { ...DEFAULT_REPLICATION_OPTIONS, brokerRole: 'SYNC_MASTER', inSyncReplicas: 2 };
    this.#startMaster();
    this.#startSlave();
  }

  readonly #told = (fields: object): void => {
    this.#why = JSON.stringify(fields);
  };

  step(): void {
    const random = this.#random;
    this.#now += random.int(0, 300);
    const kinds = [
      ...Array<() => void>(8).fill(() => this.#send()),
      ...Array<() => void>(12).fill(() => this.#deliver()),
      ...Array<() => void>(4).fill(() => this.#turn()),
      ...Array<() => void>(3).fill(() => this.#sync()),
      () => this.#lose(),
      () => this.#crash('master'),
      () => this.#crash('slave'),
    ];
    random.pick(kinds)();
    if (this.#link === undefined && random.chance(0.5)) this.#connect();
    this.#acknowledge();
  }

  /** Nothing fails any more: both logs become the same, and hold what was promised. */
  heal(): void {
    for (let round = 0; round < 2_000 && !this.#isSame(); round++) {
      if (this.#link === undefined) this.#connect();
      // What only a new message brings to light.
      if (round % 100 === 99) this.#send();
      this.#sync();
      this.#deliver();
      this.#turn();
      this.#now += 100;
      this.#acknowledge();
    }
    assert.ok(
      this.#isSame(),
      `the logs are not the same after all: ${JSON.stringify(this.#ends())}, ${this.#why}`,
    );
    this.#checkBytes();
    for (const { end, body, isAcknowledged } of this.#sent) {
      if (!isAcknowledged || (this.#powerWasCut && this.#flush === 'ASYNC_FLUSH')) continue;
      assert.ok(
        this.#holds('master', end, body),
        `the master has lost an acknowledged message before ${end}`,
      );
      assert.ok(this.#holds('slave', end, body), `the slave lacks an acknowledged message before ${end}`);
    }
  }

  #startMaster(): void {
    this.#master = smallStore({ flushDiskType: this.#flush }, this.#disks.master);
    const { positions } = this.#master.store;
    positions.set(REPLICATED, 0);
    this.#feeds = new Feeds({
      log: servedLogOf(this.#disks.master, positions),
      positions,
      options: this.#options,
      now: () => this.#now,
      lines: { info: () => {}, warn: this.#told, error: () => {} },
      news: () => {},
    });
    // What the log does not reach any more is gone; a promise that was broken is found when all is well again.
    const end = positions.get(APPENDED);
    this.#sent = this.#sent.filter((one) => one.end <= end || one.isAcknowledged);
  }

  #startSlave(): void {
    this.#diverged = undefined;
    this.#slave = smallStore({ flushDiskType: this.#flush }, this.#disks.slave);
    const { positions } = this.#slave.store;
    const state = { position: positions.get(APPENDED), storeTimestamp: 1, isCopy: true };
    const segments = new Segments(this.#disks.slave, LOG, FILE);
    this.#copy = new CommitLog(segments, positions, QueueDirectory.plain(4), state);
    this.#channel = plainChannel({ ringBytes: 1024 * 1024, slabs: 2, slabBytes: RAW_HEADER + MAX_RECORD });
    this.#replies = plainRing(MAX_RAW_PUTS * REPLY_RING_BYTES);
    const slot = this.#flush === 'SYNC_FLUSH' ? FLUSHED : APPENDED;
    this.#follower = new Follower({
      log: servedLogOf(this.#disks.slave, positions),
      options: this.#options,
      maxRecord: MAX_RECORD,
      known: knownQueues('T'),
      puts: new RawPuts(this.#channel.sender, this.#replies.consumer),
      crc,
      now: () => this.#now,
      confirmed: () => positions.get(slot),
      ask: () => assert.unreachable('all messages go to a known queue'),
      diverged: (position) => {
        this.#diverged = position;
      },
      ended: (why) => {
        this.#why = why;
        this.#lose();
      },
    });
  }

  #send(): void {
    const body = `message ${this.#number++} `.padEnd(this.#random.int(20, 900), '.');
    this.#master.store.append('T', headFor(0), Buffer.from(body), '');
    const end = this.#master.store.positions.get(APPENDED);
    this.#sent.push({ end, body, isAcknowledged: false });
    this.#feeds.pump();
  }

  #connect(): void {
    if (!this.#follower.ready || this.#diverged !== undefined) return;
    const [down, up] = [new Pipe(), new Pipe()];
    const feed = this.#feeds.open('slave', 1, {
      send: (pieces, taken) => {
        for (const piece of pieces) down.send(piece);
        taken();
      },
      close: () => this.#lose(),
    });
    if (feed === undefined) return;
    this.totals.connections++;
    this.#follower.masterEndsAt(this.#master.store.positions.get(APPENDED));
    const stream = this.#follower.open({
      send: (bytes) => up.send(bytes),
      pause: () => {},
      resume: () => {},
      close: () => this.#lose(),
    });
    this.#link = { feed, stream, down, up };
  }

  #deliver(): void {
    const { link } = this;
    if (link === undefined) return;
    link.stream.received(link.down.some(this.#random));
    if (this.link === link) link.feed.received(link.up.some(this.#random));
  }

  get link(): Link | undefined {
    return this.#link;
  }

  /** The slave's writer and the clocks of both. */
  #turn(): void {
    takeRawPuts(this.#channel.receiver, this.#replies.producer, this.#copy);
    this.#follower.work();
    this.#follower.tick();
    this.#feeds.tick();
    if (this.#diverged !== undefined) this.#cutSlave(this.#diverged);
    if (/has nothing in common/.test(this.#why)) this.#beginAnew();
  }

  /** The master has lost all that the slave has: that an operator has to say. */
  #beginAnew(): void {
    this.#why = '';
    const [master, slave] = [this.#disks.master, this.#disks.slave].map((disk) => logOf(disk, FIRST_MESSAGE));
    assert.is.not(Buffer.compare(master as Buffer, slave as Buffer), 0, 'they have something in common');
    this.#lose();
    this.#disks.slave = new SimDisk();
    this.#startSlave();
  }

  #sync(): void {
    const random = this.#random;
    if (random.chance(0.7)) this.#master.store.flush();
    if (random.chance(0.7)) this.#slave.store.flush();
  }

  #lose(): void {
    const link = this.#link;
    if (link === undefined) return;
    this.#link = undefined;
    this.#feeds.closed(link.feed);
    this.#follower.closed('lost');
  }

  #crash(who: 'master' | 'slave'): void {
    const random = this.#random;
    const disk = this.#disks[who];
    this.#lose();
    if (random.chance(0.5)) disk.kill();
    else {
      disk.powerCut(random);
      this.#powerWasCut = true;
    }
    if (who === 'master') this.#startMaster();
    else this.#startSlave();
  }

  /** As the broker: the note, the end, and a start that cuts. */
  #cutSlave(position: number): void {
    this.#lose();
    noteDiverged(this.#disks.slave, this.#slave.store.options, position);
    this.#disks.slave.kill();
    if (this.#random.chance(0.2)) this.#disks.slave.powerCut(this.#random);
    this.#startSlave();
    this.totals.cut++;
    assert.ok(this.#slave.store.positions.get(APPENDED) <= position, 'the slave is cut');
  }

  #acknowledge(): void {
    const { positions } = this.#master.store;
    const own = positions.get(this.#flush === 'SYNC_FLUSH' ? FLUSHED : APPENDED);
    const confirmed = this.#faults.acknowledgesAlone ? own : Math.min(own, positions.get(REPLICATED));
    for (const one of this.#sent) {
      if (one.isAcknowledged || one.end > confirmed) continue;
      one.isAcknowledged = true;
      this.totals.acknowledged++;
      const safe = this.#slave.store.positions.get(this.#flush === 'SYNC_FLUSH' ? FLUSHED : APPENDED);
      assert.ok(one.end <= safe, `acknowledged up to ${one.end}, and the slave has it up to ${safe}`);
      assert.ok(this.#holds('slave', one.end, one.body), `the slave has another message before ${one.end}`);
    }
  }

  #isSame(): boolean {
    const { master, slave } = this.#ends();
    return master === slave && this.#link !== undefined && this.#diverged === undefined;
  }

  #ends(): { master: number; slave: number } {
    const [master, slave] = [this.#master, this.#slave].map(({ store }) => store.positions.get(APPENDED));
    return { master: master as number, slave: slave as number };
  }

  #checkBytes(): void {
    const { master: end } = this.#ends();
    const [master, slave] = [this.#disks.master, this.#disks.slave].map((disk) => logOf(disk, end));
    assert.is(Buffer.compare(master as Buffer, slave as Buffer), 0, 'the logs differ');
  }

  /** Whether the message that ends at `end` is there. */
  #holds(who: 'master' | 'slave', end: number, body: string): boolean {
    const log = logOf(this.#disks[who], end);
    return log.subarray(Math.max(0, end - 1_200)).includes(body);
  }
}

/** Bytes of the log before `end`. */
function logOf(disk: SimDisk, end: number): Buffer {
  const files: Buffer[] = [];
  for (let start = 0; start < end; start += FILE) {
    const path = `${LOG}/${String(start).padStart(20, '0')}`;
    files.push(disk.size(path) < 0 ? Buffer.alloc(0) : Buffer.from(disk.bytesOf(path)));
  }
  return Buffer.concat(files).subarray(0, end);
}
