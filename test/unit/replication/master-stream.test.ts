/** The slave's end of the connection: only a master that has the same log is followed, and nothing grows on the way. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { ReplicationOptions } from '../../../src/replication/options.ts';
import { CommonPoint } from '../../../src/replication/slave/common-point.ts';
import { MasterStream } from '../../../src/replication/slave/master-stream.ts';
import { RecordCutter } from '../../../src/replication/slave/record-cutter.ts';
import {
  chunk,
  crc,
  FakeMasterSocket,
  knownQueues,
  logOf,
  MemoryLog,
  optionsWith,
  recordAt,
  TOPIC,
} from './support.ts';

const test = suite('master stream');
const LARGE_FILE = 2 ** 30;
const MIB = 1024 * 1024;

interface Setup {
  log?: MemoryLog;
  options?: Partial<ReplicationOptions>;
  maxRecord?: number;
  /** Whether what has come is taken from the cutter. */
  writes?: boolean;
}

class Rig {
  readonly socket = new FakeMasterSocket();
  readonly ended: string[] = [];
  readonly differing: number[] = [];
  readonly cutter: RecordCutter;
  readonly stream: MasterStream;
  readonly log: MemoryLog;
  readonly taken: Buffer[] = [];
  now = 1_000_000;
  confirmed: number;
  writes: boolean;

  constructor({ log = new MemoryLog(), options, maxRecord = 4096, writes = true }: Setup = {}) {
    this.log = log;
    this.writes = writes;
    this.confirmed = log.end;
    const known = knownQueues(TOPIC);
    const { fileSize } = log;
    const common = new CommonPoint(log);
    const from = common.begin();
    this.cutter = new RecordCutter(log.end, { fileSize, maxRecord, known, crc });
    this.stream = new MasterStream({
      ...{ log, cutter: this.cutter, socket: this.socket, options: optionsWith(options) },
      now: () => this.now,
      confirmed: () => this.confirmed,
      arrived: () => this.work(),
      from,
      proof: common.proof,
      differs: (position) => {
        this.differing.push(position);
        this.stream.end('it differs');
      },
      ended: (why) => this.ended.push(why),
    });
    this.stream.begin();
  }

  work(): void {
    while (this.writes && this.cutter.cut(64 * 1024)) {
      const { bytes, from, length } = this.cutter;
      this.taken.push(Buffer.from(bytes.slice(from, from + length)));
      this.cutter.take();
    }
    this.stream.progress();
  }

  /** Everything that has left the cutter. */
  get stored(): Buffer {
    return Buffer.concat(this.taken);
  }
}

/** The master's log in chunks of `size`, from `from` on. */
function chunksOf(log: Uint8Array, from: number, size: number): Buffer {
  const pieces: Uint8Array[] = [];
  for (let at = from; at < log.length; at += size) pieces.push(chunk(at, log.subarray(at, at + size)));
  return Buffer.concat(pieces);
}

test('an empty log asks for position 1, as 0 means the last file to a master, and knows its first byte', () => {
  const rig = new Rig();
  assert.equal(rig.socket.reports, [1]);
  const log = logOf([300, 4000, 4000]);
  rig.stream.received(chunksOf(log, 1, 1000));
  assert.is(Buffer.compare(rig.stored, log), 0);
  assert.equal(rig.ended, []);
});

test('chunks that are cut anywhere come out as the log that they are', () => {
  const log = logOf([300, 200, 100]);
  const bytes = chunksOf(log, 1, 77);
  for (let cut = 0; cut <= bytes.length; cut++) {
    const rig = new Rig();
    rig.stream.received(bytes.subarray(0, cut));
    rig.stream.received(bytes.subarray(cut));
    assert.is(Buffer.compare(rig.stored, log), 0, `cut at ${cut}`);
    assert.equal(rig.ended, []);
  }
});

test('byte by byte, with heartbeats in between', () => {
  const log = logOf([300, 4000, 4000]);
  const rig = new Rig();
  const bytes = Buffer.concat([chunk(1, new Uint8Array(0)), chunksOf(log, 1, 1000)]);
  for (const byte of bytes) rig.stream.received(Uint8Array.of(byte));
  rig.stream.received(chunk(log.length, new Uint8Array(0)));
  assert.is(Buffer.compare(rig.stored, log), 0);
  assert.equal(rig.ended, []);
});

test('the own bytes come again, are compared, and enter the log no second time', () => {
  const all = logOf([300, 4000, 3000, 4000, 500]);
  const rig = new Rig({ log: new MemoryLog(logOf([300, 4000, 3000])) });
  assert.equal(rig.socket.reports, [1]);
  rig.stream.received(chunksOf(all, 1, 1000));
  assert.equal(rig.ended, []);
  assert.is(Buffer.compare(rig.stored, all.subarray(7300)), 0);
});

test('of a long log the last 64 KiB are compared, and never what has been deleted', () => {
  const sizes = Array.from({ length: 40 }, () => 4000);
  const log = new MemoryLog(logOf(sizes));
  const whole = new Rig({ log });
  assert.equal(whole.socket.reports, [log.end - 64 * 1024]);
  log.start = log.end - 100;
  const short = new Rig({ log });
  assert.equal(short.socket.reports, [log.end - 100]);
  log.start = log.end;
  const nothing = new Rig({ log });
  assert.equal(nothing.socket.reports, [log.end]);
});

test('where the logs differ nothing is taken, and the first byte that does is told', () => {
  const own = logOf([300, 300, 300]);
  for (const at of [1, 450, 899]) {
    const theirs = Uint8Array.from(Buffer.concat([own, recordAt(900, 300)]));
    theirs[at] = (theirs[at] as number) ^ 1;
    const rig = new Rig({ log: new MemoryLog(own) });
    rig.stream.received(chunksOf(theirs, 1, 100));
    assert.equal(rig.differing, [at]);
    assert.ok(rig.socket.isClosed);
    assert.is(rig.stored.length, 0);
    rig.stream.received(chunk(0, own));
    assert.is(rig.stored.length, 0);
  }
});

test('a master is told of no more of the own log than was found to be its own', () => {
  const own = logOf([300, 300, 300]);
  const rig = new Rig({ log: new MemoryLog(own) });
  rig.work();
  rig.stream.tick();
  rig.stream.received(chunk(1, own.subarray(1, 600)));
  assert.equal(rig.socket.reports, [1, 600]);
  rig.stream.received(chunk(600, own.subarray(600)));
  assert.equal(rig.socket.reports, [1, 600, 900]);
  assert.equal(rig.ended, []);
});

test('the own log that cannot be read is no reason to believe the master', () => {
  const log = new MemoryLog(logOf([300, 300]));
  const rig = new Rig({ log });
  log.isUnreadable = true;
  rig.stream.received(chunk(1, logOf([300, 300]).subarray(1)));
  assert.equal(rig.ended, ['the own log cannot be read at position 1']);
});

test('a chunk that does not follow ends it, in front of the first byte as behind it', () => {
  for (const position of [0, 2, 8192, -1, 2 ** 53]) {
    const rig = new Rig();
    rig.stream.received(chunk(position, logOf([300])));
    assert.equal(rig.ended.length, 1);
    assert.match(rig.ended[0] ?? '', `it sends position ${position} and was asked for 1: `);
    assert.is(rig.cutter.held, 1, 'only the byte that is known');
  }
  const later = new Rig();
  const log = logOf([300, 300]);
  later.stream.received(chunk(1, log.subarray(1, 300)));
  later.stream.received(chunk(1, log.subarray(1, 300)));
  assert.match(later.ended[0] ?? '', 'it sends position 1 and was asked for 300');
  assert.is(later.stored.length, 300);
});

test('a length below 0 is no length', () => {
  const rig = new Rig();
  rig.stream.received(chunk(1, new Uint8Array(64), -5));
  assert.equal(rig.ended, ["it announces -5 bytes: no master of RocketMQ's kind speaks there"]);
  assert.is(rig.cutter.held, 1);
});

test('who speaks another protocol is told so by its first twelve bytes', () => {
  for (const bytes of [
    Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'),
    Buffer.from('SSH-2.0-OpenSSH_9.6\r\n'),
    Buffer.from('160303007a0200007603', 'hex'),
    Buffer.alloc(64, 0xff),
  ]) {
    const rig = new Rig();
    rig.stream.received(bytes);
    rig.stream.received(bytes);
    assert.is(rig.ended.length, 1);
    assert.is(rig.taken.length, 0);
  }
});

test('while the writer takes nothing the socket rests, at a mebibyte beyond the largest record', () => {
  const rig = new Rig({ log: new MemoryLog(new Uint8Array(0), LARGE_FILE), writes: false });
  const log = logOf(
    Array.from({ length: 400 }, () => 4000),
    LARGE_FILE,
  );
  let at = 1;
  while (!rig.socket.isPaused && at < log.length) {
    rig.stream.received(chunk(at, log.subarray(at, at + 4096)));
    at += 4096;
  }
  assert.ok(rig.socket.isPaused);
  assert.ok(rig.cutter.held <= MIB + 4096 + 8 + 4096, `${rig.cutter.held} bytes are held`);
  rig.stream.tick();
  assert.ok(rig.socket.isPaused);
  rig.writes = true;
  rig.work();
  assert.not(rig.socket.isPaused);
  assert.is(rig.cutter.fault, undefined);
});

test('a record that is longer than what may wait for the writer comes in nevertheless', () => {
  const maxRecord = 4 * MIB;
  const log = logOf([300, maxRecord, 300], LARGE_FILE);
  const rig = new Rig({ log: new MemoryLog(new Uint8Array(0), LARGE_FILE), maxRecord });
  for (let at = 1; at < log.length && !rig.socket.isPaused; at += 32 * 1024)
    rig.stream.received(chunk(at, log.subarray(at, at + 32 * 1024)));
  assert.not(rig.socket.isPaused);
  assert.is(Buffer.compare(rig.stored, log), 0);
});

test('a master that says nothing is given up; one that is not read says nothing', () => {
  const rig = new Rig({ options: { haHousekeepingInterval: 20_000 } });
  rig.now += 20_000;
  rig.stream.tick();
  assert.equal(rig.ended, []);
  rig.stream.received(chunk(1, new Uint8Array(0)));
  rig.now += 20_001;
  rig.stream.tick();
  assert.equal(rig.ended, ['nothing was heard of it for 20 s']);

  const resting = new Rig({ log: new MemoryLog(new Uint8Array(0), LARGE_FILE), writes: false });
  const log = logOf(
    Array.from({ length: 400 }, () => 4000),
    LARGE_FILE,
  );
  resting.stream.received(chunk(1, log.subarray(1)));
  assert.ok(resting.socket.isPaused);
  resting.now += 3_600_000;
  resting.stream.tick();
  assert.equal(resting.ended, []);
  resting.writes = true;
  resting.work();
  resting.stream.tick();
  assert.equal(resting.ended, [], 'its silence begins when it is read again');
  resting.now += 20_001;
  resting.stream.tick();
  assert.is(resting.ended.length, 1);
});

test('it tells what is safe, when that grows, and that it lives', () => {
  const rig = new Rig({ options: { haSendHeartbeatInterval: 5_000 } });
  rig.confirmed = 0;
  rig.stream.received(chunk(1, logOf([700]).subarray(1)));
  rig.stream.tick();
  assert.equal(rig.socket.reports, [1]);
  rig.confirmed = 700;
  rig.stream.progress();
  rig.stream.progress();
  assert.equal(rig.socket.reports, [1, 700]);
  rig.now += 5_000;
  rig.stream.tick();
  assert.equal(rig.socket.reports, [1, 700]);
  rig.now += 1;
  rig.stream.tick();
  assert.equal(rig.socket.reports, [1, 700, 700]);
});

test('after its end it says and takes nothing, and ends once', () => {
  const rig = new Rig();
  rig.stream.end('enough');
  rig.stream.end('enough');
  rig.stream.received(chunk(1, logOf([300])));
  rig.confirmed = 900;
  rig.now += 100_000;
  rig.stream.tick();
  rig.stream.progress();
  assert.equal([rig.ended, rig.socket.reports, rig.cutter.held], [['enough'], [1], 1]);
});

test('a comparison does not begin further back because the own log cannot be read', () => {
  const sizes = Array.from({ length: 100 }, () => 2000);
  const log = new MemoryLog(logOf(sizes, LARGE_FILE), LARGE_FILE);
  log.isUnreadable = true;
  assert.is(new CommonPoint(log).begin(), log.end - 64 * 1024);
});

test.run();
