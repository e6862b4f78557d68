/** A slave between its master and its writer, with a real log and real rings, in one thread. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MAGIC_BLANK } from '../../../src/record/layout.ts';
import type { ReplicationOptions } from '../../../src/replication/options.ts';
import { Follower } from '../../../src/replication/slave/follower.ts';
import type { MasterStream } from '../../../src/replication/slave/master-stream.ts';
import { MAX_RAW_PUTS, RawPuts } from '../../../src/replication/slave/raw-puts.ts';
import type { UnknownQueue } from '../../../src/replication/slave/record-cutter.ts';
import { RAW_HEADER, REPLY_RING_BYTES } from '../../../src/ring/append-records.ts';
import { plainChannel } from '../../../src/ring/channel.ts';
import { APPENDED, MESSAGES_APPENDED, Positions } from '../../../src/ring/positions.ts';
import { plainRing } from '../../../src/ring/spsc-ring.ts';
import { CommitLog } from '../../../src/store/log/commit-log.ts';
import { Segments } from '../../../src/store/log/segments.ts';
import { QueueDirectory } from '../../../src/store/queue/queue-directory.ts';
import { takeRawPuts } from '../../sim/raw-writer.ts';
import { SimDisk } from '../../sim/sim-disk.ts';
import {
  chunk,
  crc,
  FakeMasterSocket,
  knownQueues,
  logOf,
  optionsWith,
  recordAt,
  TOPIC,
  viewOf,
} from './support.ts';

const test = suite('follower');
const FILE = 4 * 1024 * 1024;
const MAX_RECORD = 1024 * 1024;

class Rig {
  readonly disk = new SimDisk();
  readonly positions = new Positions();
  readonly segments = new Segments(this.disk, '/log', FILE);
  readonly log = new CommitLog(this.segments, this.positions, QueueDirectory.plain(8), {
    position: 0,
    storeTimestamp: 1,
    isCopy: true,
  });
  readonly #channel = plainChannel({
    ringBytes: 1024 * 1024,
    slabs: 2,
    slabBytes: RAW_HEADER + MAX_RECORD + 8,
  });
  readonly #replies = plainRing(MAX_RAW_PUTS * REPLY_RING_BYTES);
  readonly asked: UnknownQueue[] = [];
  readonly ended: string[] = [];
  readonly diverged: number[] = [];
  readonly known = knownQueues(TOPIC);
  readonly follower: Follower;
  now = 1_000_000;

  constructor(options: Partial<ReplicationOptions> = {}) {
    const { segments, positions } = this;
    this.follower = new Follower({
      log: {
        start: 0,
        get end() {
          return positions.get(APPENDED);
        },
        fileSize: FILE,
        newest: 0,
        bytes: (position, length) =>
          segments.at(position)?.bytes.subarray(position % FILE, (position % FILE) + length),
      },
      options: optionsWith(options),
      maxRecord: MAX_RECORD,
      known: this.known,
      puts: new RawPuts(this.#channel.sender, this.#replies.consumer),
      crc,
      now: () => this.now,
      confirmed: () => positions.get(APPENDED),
      ask: (queue) => this.asked.push(queue),
      diverged: (position) => this.diverged.push(position),
      ended: (why) => this.ended.push(why),
    });
  }

  connect(): { socket: FakeMasterSocket; stream: MasterStream } {
    const socket = new FakeMasterSocket();
    return { socket, stream: this.follower.open(socket) };
  }

  /** The writer's turn, and its bell. Returns the puts that it took. */
  write(most = Number.POSITIVE_INFINITY): number {
    const taken = takeRawPuts(this.#channel.receiver, this.#replies.producer, this.log, most);
    this.follower.work();
    return taken;
  }

  get bytes(): Buffer {
    const files = this.disk.list('/log').sort();
    const all = Buffer.concat(files.map((name) => Buffer.from(this.disk.bytesOf(`/log/${name}`))));
    return all.subarray(0, this.positions.get(APPENDED));
  }
}

/** Somewhere in the body of a record. */
const BODY_AT = 200;

/** Positions of the records, what fills a file up not among them. */
function recordStarts(log: Uint8Array): number[] {
  const view = viewOf(log);
  const starts: number[] = [];
  for (let at = 0; at < log.length; at += view.getInt32(at))
    if (view.getInt32(at + 4) !== MAGIC_BLANK) starts.push(at);
  return starts;
}

test('a log with other records than the master has is to be cut at the first of them', () => {
  // From where a comparison begins at first, and from further back.
  for (const [common, other] of [
    [5, 5],
    [50, 3],
    [3, 50],
    [40, 400],
  ] as const) {
    const sizes = Array.from({ length: common + other }, () => 1000);
    const own = logOf(sizes, FILE);
    const rig = new Rig();
    let { stream } = rig.connect();
    for (let at = 1; at < own.length; at += 32 * 1024) {
      stream.received(chunk(at, own.subarray(at, at + 32 * 1024)));
      while (rig.write() > 0);
    }
    rig.follower.closed('');
    const first = recordStarts(own)[common] as number;
    const theirs = Uint8Array.from(own);
    for (let at = first + BODY_AT; at < theirs.length; at += 1000) theirs[at] = (theirs[at] as number) ^ 1;
    for (let tries = 0; rig.diverged.length === 0; tries++) {
      assert.ok(tries < 5, `${common} and ${other}: not found`);
      const again = rig.connect();
      stream = again.stream;
      const from = again.socket.reports[0] as number;
      stream.received(chunk(from, theirs.subarray(from)));
    }
    assert.equal(rig.diverged, [first], `${common} and ${other}`);
  }
});

test('another log is none that could be cut', () => {
  const own = logOf([300, 300, 300]);
  const rig = new Rig();
  rig.connect().stream.received(chunk(1, own.subarray(1)));
  while (rig.write() > 0);
  rig.follower.closed('');
  const theirs = Uint8Array.from(own);
  theirs[BODY_AT] = (theirs[BODY_AT] as number) ^ 1;
  rig.connect().stream.received(chunk(1, theirs.subarray(1)));
  assert.equal(rig.diverged, []);
  assert.match(rig.ended.at(-1) ?? '', "move this store's commitlog away");
});

test('records of all sizes reach the log as they were, and the master hears how far it is', () => {
  const sizes = Array.from({ length: 400 }, (_, n) => 100 + ((n * 7919) % 3000));
  const master = logOf(
    [...sizes, MAX_RECORD, 60_000, MAX_RECORD, ...sizes, MAX_RECORD, MAX_RECORD, 500],
    FILE,
  );
  const rig = new Rig();
  const { socket, stream } = rig.connect();
  for (let at = 1; at < master.length; at += 32 * 1024) {
    stream.received(chunk(at, master.subarray(at, at + 32 * 1024)));
    while (rig.write() > 0);
  }
  assert.equal(rig.ended, []);
  assert.is(Buffer.compare(rig.bytes, master), 0);
  assert.is(rig.positions.get(MESSAGES_APPENDED), 806);
  assert.is(socket.reports.at(-1), master.length);
  assert.equal(
    socket.reports,
    [...socket.reports].sort((a, b) => a - b),
  );
});

test('a writer that takes nothing stops the socket, and nothing is lost', () => {
  const master = logOf(
    Array.from({ length: 1500 }, () => 3000),
    FILE,
  );
  const rig = new Rig();
  const { socket, stream } = rig.connect();
  let at = 1;
  while (!socket.isPaused && at < master.length) {
    stream.received(chunk(at, master.subarray(at, at + 32 * 1024)));
    at += 32 * 1024;
  }
  assert.ok(socket.isPaused);
  assert.ok(at < 4 * 1024 * 1024, `${at} bytes were taken`);
  while (at < master.length) {
    while (rig.write() > 0);
    assert.not(socket.isPaused);
    stream.received(chunk(at, master.subarray(at, at + 32 * 1024)));
    at += 32 * 1024;
  }
  while (rig.write() > 0);
  assert.is(Buffer.compare(rig.bytes, master), 0);
});

test('no more puts are under way than the reply ring has room for', () => {
  const rig = new Rig();
  const { stream } = rig.connect();
  const master = logOf(
    Array.from({ length: MAX_RAW_PUTS + 50 }, () => 100),
    FILE,
  );
  for (let at = 1; at < master.length; at += 100) stream.received(chunk(at, master.subarray(at, at + 100)));
  assert.is(rig.write(), MAX_RAW_PUTS);
  while (rig.write() > 0);
  assert.is(Buffer.compare(rig.bytes, master), 0);
});

test('a queue that nobody knows is asked for once, and its record goes on when it is known', () => {
  const rig = new Rig();
  const { stream } = rig.connect();
  const bytes = Buffer.concat([recordAt(0, 200), recordAt(200, 200, { topic: 'New', queueId: 2 })]);
  stream.received(chunk(1, bytes.subarray(1)));
  rig.write();
  rig.follower.tick();
  rig.follower.tick();
  assert.equal(rig.asked, [{ topic: 'New', queueId: 2 }]);
  assert.is(rig.positions.get(APPENDED), 200);
  rig.known.add('New', 2);
  rig.follower.work();
  rig.write();
  assert.is(rig.positions.get(APPENDED), 400);
  assert.equal(rig.ended, []);
});

test('a fault ends the connection with its sentence; what came soundly before is kept', () => {
  const rig = new Rig();
  const { socket, stream } = rig.connect();
  const bytes = Buffer.concat([recordAt(0, 200), recordAt(777, 200)]);
  stream.received(chunk(1, bytes.subarray(1)));
  assert.equal(rig.ended, ['what the master sends for position 200 has a record of position 777']);
  assert.ok(socket.isClosed);
  assert.not(rig.follower.ready, 'a put is under way');
  rig.write();
  assert.ok(rig.follower.ready);
  assert.is(rig.positions.get(APPENDED), 200);
});

test('a disk without room ends it, and the next connection begins where the log ends', () => {
  const rig = new Rig();
  const { stream } = rig.connect();
  const master = logOf([300, 300, 300], FILE);
  stream.received(chunk(1, master.subarray(1, 300)));
  rig.write();
  const before = Buffer.from(rig.bytes);
  rig.segments.close();
  rig.disk.full = true;
  const rest = logOf([300, ...Array.from({ length: 8 }, () => 900_000), 300], FILE).subarray(300);
  for (let at = 0; at < rest.length && rig.ended.length === 0; at += 64 * 1024) {
    stream.received(chunk(300 + at, rest.subarray(at, at + 64 * 1024)));
    rig.write();
  }
  assert.equal(rig.ended, ['there is no room for its log on this disk: free some space']);
  while (rig.write() > 0);
  assert.ok(rig.follower.ready);
  assert.is(Buffer.compare(rig.bytes.subarray(0, 300), before), 0);
  const end = rig.positions.get(APPENDED);
  assert.ok(end < 300 + rest.length);
  rig.disk.full = false;
  const again = rig.connect();
  // Within the last 64 KiB there is no whole record.
  assert.is(again.socket.reports[0], 1);
});

/** A slave that has this log, connected to its master. */
function slaveWith(own: Uint8Array) {
  const rig = new Rig();
  const { stream } = rig.connect();
  for (let at = 1; at < own.length; at += 32 * 1024) {
    stream.received(chunk(at, own.subarray(at, at + 32 * 1024)));
    while (rig.write() > 0);
  }
  rig.follower.closed('');
  return { rig, ...rig.connect() };
}

test('a part of a record that is the same by chance is reported as nothing', () => {
  const sizes = Array.from({ length: 100 }, () => 2000);
  const own = logOf(sizes, FILE);
  // The bodies are the same, and no record is.
  const other = logOf(sizes, FILE, { storeTimestamp: 7 });
  const { rig, socket, stream } = slaveWith(own);
  const from = socket.reports[0] as number;
  const differs = own.findIndex((byte, at) => at >= from && byte !== other[at]);
  assert.ok(differs > from + 10, 'it begins within a body');
  stream.received(chunk(from, other.subarray(from, differs)));
  rig.follower.tick();
  assert.equal([rig.ended, socket.reports], [[''], [from]]);
  stream.received(chunk(differs, other.subarray(differs)));
  assert.match(rig.ended.at(-1) ?? '', /comparing from further back/);
});

test('what was found to be the same is reported as soon as a whole record is', () => {
  const own = logOf(
    Array.from({ length: 100 }, () => 2000),
    FILE,
  );
  const { socket, stream } = slaveWith(own);
  const from = socket.reports[0] as number;
  const first = Math.ceil(from / 2000) * 2000;
  stream.received(chunk(from, own.subarray(from, first + 1999)));
  assert.equal(socket.reports, [from]);
  stream.received(chunk(first + 1999, own.subarray(first + 1999, first + 2010)));
  assert.equal(socket.reports, [from, first + 2010]);
});

test('a comparison begins before the last whole record, however large that is', () => {
  const own = logOf([300, 900_000], FILE);
  const other = logOf([300, 900_000], FILE, { storeTimestamp: 7 });
  const { rig, socket, stream } = slaveWith(own);
  const from = socket.reports[0] as number;
  assert.ok(from <= 300, `it begins at ${from}`);
  stream.received(chunk(from, Buffer.concat([own.subarray(from, 300), other.subarray(300)])));
  assert.equal(rig.diverged, [300]);
});

test('what was under way when a connection ended is not put again, nor beside the next one', () => {
  const rig = new Rig();
  const first = rig.connect();
  const master = logOf([300, 300, 300, 300], FILE);
  first.stream.received(chunk(1, master.subarray(1, 700)));
  rig.follower.closed('reset');
  assert.equal(rig.ended, ['reset']);
  rig.follower.closed('reset');
  assert.equal(rig.ended, ['reset']);
  assert.not(rig.follower.ready);
  rig.write();
  assert.ok(rig.follower.ready);
  const second = rig.connect();
  assert.equal(second.socket.reports, [1]);
  second.stream.received(chunk(1, master.subarray(1)));
  while (rig.write() > 0);
  assert.equal(rig.ended, ['reset']);
  assert.is(Buffer.compare(rig.bytes, master), 0);
});

test('who resets at any byte costs nothing: the copy is right in the end', () => {
  const master = logOf([300, 800, 150, 2000, 93], FILE);
  const rig = new Rig();
  for (let cut = 1; rig.positions.get(APPENDED) < master.length; cut += 37) {
    const { socket, stream } = rig.connect();
    const from = socket.reports[0] as number;
    stream.received(chunk(from, master.subarray(from)).subarray(0, cut));
    while (rig.write() > 0);
    rig.follower.closed('reset');
  }
  assert.is(Buffer.compare(rig.bytes, master), 0);
  assert.ok(rig.ended.every((why) => why === 'reset'));
});

test('silence is measured by the clock that it is given', () => {
  const rig = new Rig({ haHousekeepingInterval: 20_000 });
  rig.connect();
  rig.now += 20_001;
  rig.follower.tick();
  assert.equal(rig.ended, ['nothing was heard of it for 20 s']);
  assert.ok(rig.follower.ready);
});

test.run();
