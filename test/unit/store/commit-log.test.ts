/** Appending: where records go, what the end of a file looks like, and that a refusal changes nothing. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { encodeRecord } from '../../../src/record/encode.ts';
import { MAGIC_BLANK } from '../../../src/record/layout.ts';
import { type Bulk, plainBulk } from '../../../src/ring/bulk.ts';
import { APPENDED, APPENDED_TIME, FLUSHED, HALT_ERRNO, Positions } from '../../../src/ring/positions.ts';
import type { Mapping } from '../../../src/store/disk/disk.ts';
import {
  APPENDED_OK,
  CommitLog,
  NO_SEGMENT,
  QUEUE_RETIRED,
  TOO_LARGE,
} from '../../../src/store/log/commit-log.ts';
import { Flusher } from '../../../src/store/log/flusher.ts';
import { RecordCheck } from '../../../src/store/log/record-check.ts';
import { listSegments, Segments } from '../../../src/store/log/segments.ts';
import { QueueDirectory } from '../../../src/store/queue/queue-directory.ts';
import { SimCrash, SimDisk } from '../../sim/sim-disk.ts';
import { bodyFor, headFor } from '../../support/messages.ts';

const test = suite('commit log');
const FILE = 8192;
const ENOSPC = 28;

function newLog(position = 0) {
  const disk = new SimDisk();
  const positions = new Positions();
  const directory = QueueDirectory.plain(8);
  const segments = new Segments(disk, '/log', FILE);
  const rolls: number[] = [];
  const log = new CommitLog(segments, positions, directory, { position, storeTimestamp: 1000 }, (start) =>
    rolls.push(start),
  );
  return { disk, positions, directory, segments, log, rolls };
}

/** Records, each exactly so many bytes long, one behind the other. */
function records(...sizes: number[]): { source: Bulk; size: number } {
  const size = sizes.reduce((sum, one) => sum + one, 0);
  const source = plainBulk(size + 16);
  let at = 16;
  for (const one of sizes) {
    source.bytes.set(encodeRecord(headFor(0), Buffer.from('T'), bodyFor(one, 'T'), new Uint8Array(0)), at);
    at += one;
  }
  return { source, size };
}

function append({ log }: ReturnType<typeof newLog>, size: number, queue = 1): number {
  return log.append(records(size).source, 16, size, queue);
}

function batch({ log }: ReturnType<typeof newLog>, ...sizes: number[]): number {
  const { source, size } = records(...sizes);
  return log.appendBatch(source, 16, size, sizes.length, 1);
}

test('records follow each other; queue offsets count per queue; nothing is seen before publish', () => {
  const env = newLog();
  const places = [1, 2, 1, 1].map((queue) => {
    assert.is(append(env, 200, queue), APPENDED_OK);
    return [env.log.physicalOffset, env.log.queueOffset];
  });
  assert.equal(places, [
    [0, 0],
    [200, 0],
    [400, 1],
    [600, 2],
  ]);
  assert.is(env.positions.get(APPENDED), 0);
  env.log.publish();
  assert.equal([env.positions.get(APPENDED), env.positions.get(APPENDED_TIME)], [800, 1000]);
});

test('a file is used up to eight bytes before its end, then ends with a BLANK', () => {
  const exact = newLog();
  append(exact, FILE - 8);
  assert.is(exact.log.position, FILE - 8);
  append(exact, 200);
  assert.equal([exact.log.physicalOffset, exact.rolls], [FILE, [FILE]]);
  const bytes = Buffer.from(exact.disk.bytesOf('/log/00000000000000000000'));
  assert.equal([bytes.readInt32BE(FILE - 8), bytes.readInt32BE(FILE - 4)], [8, MAGIC_BLANK]);

  const oneMore = newLog();
  append(oneMore, 4000);
  append(oneMore, FILE - 4000 - 7);
  assert.is(oneMore.log.physicalOffset, FILE, 'one byte too many: it goes to the next file');
  const first = Buffer.from(oneMore.disk.bytesOf('/log/00000000000000000000'));
  assert.equal([first.readInt32BE(4000), first.readInt32BE(4004)], [FILE - 4000, MAGIC_BLANK]);
  assert.ok(first.subarray(4008).every((byte) => byte === 0));
  assert.equal(oneMore.disk.list('/log').sort(), ['00000000000000000000', '00000000000000008192']);
});

test('a batch lies in one file', () => {
  const env = newLog();
  append(env, 7000);
  assert.is(batch(env, 400, 400, 400), APPENDED_OK);
  assert.equal([env.log.physicalOffset, env.log.queueOffset, env.log.position], [FILE, 1, FILE + 1200]);
  assert.is(env.directory.next(1), 4);
});

test('what can fit no file is refused and changes nothing', () => {
  const env = newLog();
  append(env, 200);
  const before = { position: env.log.position, next: env.directory.next(1) };
  assert.is(append(env, FILE - 7), TOO_LARGE);
  assert.is(batch(env, 5000, 5000), TOO_LARGE);
  assert.equal({ position: env.log.position, next: env.directory.next(1) }, before);
});

test('a full disk at a roll changes nothing, and appending goes on when there is room again', () => {
  const env = newLog();
  append(env, 5000);
  const before = Buffer.from(env.disk.bytesOf('/log/00000000000000000000'));
  env.disk.full = true;
  assert.is(append(env, 5000), NO_SEGMENT);
  assert.is(batch(env, 3000, 3000), NO_SEGMENT);
  assert.is(env.segments.lastError, ENOSPC);
  assert.equal([env.log.position, env.directory.next(1), env.rolls], [5000, 1, []]);
  assert.ok(before.equals(env.disk.bytesOf('/log/00000000000000000000')), 'not a byte was written');
  assert.is(append(env, 1000), APPENDED_OK, 'what still fits is taken');
  env.disk.full = false;
  assert.is(append(env, 5000), APPENDED_OK);
  assert.equal([env.log.physicalOffset, env.log.queueOffset], [FILE, 2]);
});

test('a retired queue takes nothing', () => {
  const env = newLog();
  env.log.retire(1);
  assert.equal(
    [append(env, 200), batch(env, 200, 200), append(env, 200, 2)],
    [QUEUE_RETIRED, QUEUE_RETIRED, 0],
  );
  assert.is(env.log.position, 200);
});

test('half messages and rollbacks take no queue offset', () => {
  const env = newLog();
  for (const [sysFlag, offset] of [
    [0x0, 0],
    [0x4, 0],
    [0xc, 0],
    [0x8, 1],
  ] as const) {
    const record = encodeRecord(
      headFor(0, { sysFlag }),
      Buffer.from('T'),
      Buffer.from('b'),
      new Uint8Array(0),
    );
    const source = plainBulk(record.length);
    source.bytes.set(record);
    env.log.append(source, 0, record.length, 1);
    assert.is(env.log.queueOffset, offset, `sysFlag ${sysFlag}`);
  }
  assert.is(env.directory.next(1), 2);
});

test('records larger than the stage, and more than fit into it, come out whole and in order', () => {
  const disk = new SimDisk();
  const segments = new Segments(disk, '/log', 8 * 1024 * 1024);
  const positions = new Positions();
  const log = new CommitLog(segments, positions, QueueDirectory.plain(8), { position: 0, storeTimestamp: 1 });
  const sizes = [700, 600_000, 90_000, 90_000, 90_000, 2_000_000, 300, ...Array<number>(300).fill(1500)];
  for (const size of sizes) assert.is(log.append(records(size).source, 16, size, 1), APPENDED_OK);
  assert.ok(log.publish());
  const check = new RecordCheck();
  const mapping = segments.at(0) as Mapping;
  let at = 0;
  for (const size of sizes) {
    assert.ok(check.check(mapping, at, 0), `${check.reason} at ${at}`);
    assert.is(check.size, size);
    at += size;
  }
  assert.is(at, positions.get(APPENDED));
});

test('a write that the disk refuses shows nothing, then or later', () => {
  const env = newLog();
  append(env, 200);
  env.log.publish();
  env.disk.fail('write');
  append(env, 200);
  assert.equal([env.log.publish(), env.log.fault, env.positions.get(APPENDED)], [false, 5, 200]);
  append(env, 200);
  assert.equal([env.log.publish(), env.log.fault, env.positions.get(APPENDED)], [false, 5, 200]);
  // Half of the write reached the file, but not its first eight bytes.
  const file = env.disk.bytesOf('/log/00000000000000000000');
  assert.ok(
    file.subarray(200, 208).every((byte) => byte === 0) && file.subarray(400).every((byte) => byte === 0),
    'nothing stands at the hole, nothing follows it',
  );
});

test('a kill while a round is written leaves no record of it', () => {
  for (let calls = 0; calls < 4; calls++) {
    const env = newLog();
    append(env, 200);
    env.log.publish();
    append(env, 5000);
    append(env, 300);
    env.disk.callsUntilCrash = calls;
    let crashed = false;
    try {
      env.log.publish();
    } catch (error) {
      assert.instance(error, SimCrash);
      crashed = true;
    }
    env.disk.kill();
    const check = new RecordCheck();
    const mapping = env.segments.at(0) as Mapping;
    assert.is(check.check(mapping, 200, 0), !crashed, `after ${calls} calls`);
  }
});

test('store times never step back', () => {
  const env = newLog();
  for (const [now, expected] of [
    [1500, 1500],
    [1400, 1500],
    [1501, 1501],
  ] as const) {
    env.log.setTime(now);
    append(env, 200);
    env.log.publish();
    const at = env.log.physicalOffset;
    assert.is(Number(env.segments.at(at)?.view.getBigInt64(at + 56)), expected);
  }
});

test('the flusher makes files durable in order and says how far; a failed sync halts for good', () => {
  const env = newLog();
  const flusher = new Flusher(new Segments(env.disk, '/log', FILE), env.positions);
  for (let i = 0; i < 6; i++) append(env, 3000);
  env.log.publish();
  assert.is(flusher.behind, true);
  assert.is(flusher.doWork(), env.log.position);
  assert.equal([env.positions.get(FLUSHED), flusher.behind, flusher.doWork()], [env.log.position, false, 0]);
  append(env, 200);
  env.log.publish();
  env.disk.fail('sync');
  const flushed = env.positions.get(FLUSHED);
  const failing = new Flusher(new Segments(env.disk, '/log', FILE), env.positions);
  assert.is(failing.doWork(), 0);
  assert.equal([env.positions.halted, env.positions.get(HALT_ERRNO)], [true, 5]);
  assert.is(env.positions.get(FLUSHED), flushed);
});

test('a log directory with strangers, wrong sizes or holes is refused with a word on what to do', () => {
  const disk = new SimDisk();
  for (const start of [0, FILE, 3 * FILE]) disk.map(`/log/${String(start).padStart(20, '0')}`, FILE, FILE);
  assert.throws(() => listSegments(disk, '/log', FILE), /00000000000000016384 is missing/);
  disk.remove(`/log/${String(3 * FILE).padStart(20, '0')}`);
  assert.equal(listSegments(disk, '/log', FILE), [0, FILE]);
  assert.throws(() => listSegments(disk, '/log', 4096), /8192 bytes but mappedFileSizeCommitLog says 4096/);
  disk.writeWhole('/log/notes.txt', new Uint8Array(1));
  assert.throws(() => listSegments(disk, '/log', FILE), /notes.txt does not belong/);
});

test.run();
