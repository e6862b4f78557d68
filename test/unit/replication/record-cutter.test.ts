/** Only whole, sound records of this very log leave the cutter, wherever the stream was cut, and nothing grows. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { writeInt64 } from '../../../src/lib/int64.ts';
import {
  BODY_CRC,
  MAGIC,
  PHYSICAL_OFFSET,
  QUEUE_ID,
  QUEUE_OFFSET,
  TOTAL_SIZE,
} from '../../../src/record/layout.ts';
import { bodyLengthOffset } from '../../../src/record/view.ts';
import type { KnownQueues } from '../../../src/replication/slave/known-queues.ts';
import { RecordCutter } from '../../../src/replication/slave/record-cutter.ts';
import { blank, crc, FILE, knownQueues, logOf, MAX_RECORD, recordAt, TOPIC, viewOf } from './support.ts';

const test = suite('record cutter');
const BODY_LENGTH = bodyLengthOffset(0);

interface Setup {
  position?: number;
  known?: KnownQueues;
  fileSize?: number;
  maxRecord?: number;
}

function newCutter({ position = 0, known = knownQueues(TOPIC), ...more }: Setup = {}): RecordCutter {
  return new RecordCutter(position, { fileSize: FILE, maxRecord: MAX_RECORD, known, crc, ...more });
}

interface Run {
  position: number;
  count: number;
  storeTimestamp: number;
  bytes: Uint8Array;
}

/** Takes all runs there are. */
function drain(cutter: RecordCutter, limit = FILE): Run[] {
  const runs: Run[] = [];
  while (cutter.cut(limit)) {
    const { position, count, storeTimestamp, from, length } = cutter;
    runs.push({ position, count, storeTimestamp, bytes: cutter.bytes.slice(from, from + length) });
    cutter.take();
  }
  return runs;
}

function joined(runs: readonly Run[]): Uint8Array {
  return Uint8Array.from(Buffer.concat(runs.map(({ bytes }) => bytes)));
}

test('a stream that is cut at any byte comes out as it was, in runs that follow each other', () => {
  const log = logOf([100, 333, 4096, 2000, 3000, 101, 4000]);
  for (let cut = 0; cut <= log.length; cut++) {
    const cutter = newCutter();
    cutter.push(log.subarray(0, cut));
    const before = drain(cutter);
    assert.ok(joined(before).length <= cut);
    cutter.push(log.subarray(cut));
    const runs = [...before, ...drain(cutter)];
    assert.is(cutter.fault, undefined, `cut at ${cut}`);
    assert.is(Buffer.compare(joined(runs), log), 0, `cut at ${cut}`);
    let end = 0;
    for (const { position, bytes } of runs) {
      assert.is(position, end);
      end += bytes.length;
    }
  }
});

test('byte by byte', () => {
  const log = logOf([100, 1333, 4000, 3000]);
  const cutter = newCutter();
  const runs: Run[] = [];
  for (const byte of log) {
    cutter.push(Uint8Array.of(byte));
    runs.push(...drain(cutter));
  }
  assert.is(Buffer.compare(joined(runs), log), 0);
  assert.is(cutter.held, 0);
});

test('a run tells how many messages it has and when the last one was stored; a BLANK is none', () => {
  const log = logOf([3000, 3000, 3000]);
  const cutter = newCutter();
  cutter.push(log);
  const runs = drain(cutter);
  assert.equal(
    runs.map(({ position, count, storeTimestamp }) => [position, count, storeTimestamp]),
    [
      [0, 2, 4000],
      [FILE, 1, 1000 + FILE],
    ],
  );
  const alone = newCutter({ position: 6000 });
  alone.push(blank(FILE - 6000));
  assert.equal(
    drain(alone).map(({ count, storeTimestamp, bytes }) => [count, storeTimestamp, bytes.length]),
    [[0, 0, FILE - 6000]],
  );
  assert.is(alone.position, FILE);
});

test('a run is no longer than the limit unless it is one record, and never in two files', () => {
  const log = logOf([500, 500, 500, 3000, 200, 4000, 100]);
  const cutter = newCutter();
  cutter.push(log);
  const runs = drain(cutter, 1000);
  assert.equal(
    runs.map(({ bytes }) => bytes.length),
    [1000, 500, 3000, 200, FILE - 4700, 4000, 100],
  );
  for (const { position, bytes } of runs)
    assert.is(Math.floor(position / FILE), Math.floor((position + bytes.length - 1) / FILE));
});

test('a file is used up to eight bytes before its end', () => {
  const log = logOf([4096, FILE - 4096 - 8, 100]);
  const cutter = newCutter();
  cutter.push(log);
  assert.is(Buffer.compare(joined(drain(cutter)), log), 0);
  assert.is(log.length, FILE + 100);
});

type Damage = (record: Uint8Array, view: DataView) => void;

const damages: [what: string, fault: RegExp, damage: Damage][] = [
  ['no magic', /holds no record/, (_, view) => view.setInt32(MAGIC, 0)],
  ['garbage', /holds no record/, (record) => void record.fill(0xa5)],
  ['zeros', /holds no record/, (record) => void record.fill(0)],
  ['size 0', /record of 0 bytes/, (_, view) => view.setInt32(TOTAL_SIZE, 0)],
  ['a negative size', /record of -1 bytes/, (_, view) => view.setInt32(TOTAL_SIZE, -1)],
  ['a size of two words', /record of 8 bytes/, (_, view) => view.setInt32(TOTAL_SIZE, 8)],
  ['too large', /record of 4097 bytes/, (_, view) => view.setInt32(TOTAL_SIZE, MAX_RECORD + 1)],
  ['endless', /record of 2147483647 bytes/, (_, view) => view.setInt32(TOTAL_SIZE, 0x7fffffff)],
  ['a size that is another', /do not add up/, (_, view) => view.setInt32(TOTAL_SIZE, 299)],
  ['a body past its end', /do not add up/, (_, view) => view.setInt32(BODY_LENGTH, 250)],
  ['a negative body', /do not add up/, (_, view) => view.setInt32(BODY_LENGTH, -1)],
  ['another position', /record of position 301/, (_, view) => writeInt64(view, PHYSICAL_OFFSET, 301)],
  ['a negative position', /record of position -300/, (_, view) => writeInt64(view, PHYSICAL_OFFSET, -300)],
  ['another CRC', /damaged on the way/, (_, view) => view.setInt32(BODY_CRC, 1)],
  ['another body', /damaged on the way/, (record) => void record.fill(0, BODY_LENGTH + 10, BODY_LENGTH + 11)],
];

for (const [what, fault, damage] of damages) {
  test(`what comes before a damaged record is taken, and nothing of it: ${what}`, () => {
    const log = logOf([300, 300, 300]);
    const record = log.subarray(300, 600);
    damage(record, viewOf(record));
    const cutter = newCutter();
    cutter.push(log);
    assert.is(joined(drain(cutter)).length, 300);
    assert.match(cutter.fault ?? '', fault);
    assert.match(cutter.fault ?? '', 'for position 300 ');
    assert.is(cutter.position, 300);
    cutter.push(recordAt(600, 300));
    assert.not(cutter.cut(FILE), 'a stream with a fault goes on no more');
  });
}

test('a record that would reach into the last eight bytes of its file is none', () => {
  const cutter = newCutter({ position: 6000 });
  cutter.push(recordAt(6000, FILE - 6000 - 7));
  assert.not(cutter.cut(FILE));
  assert.match(cutter.fault ?? '', 'has a record of 2185 bytes');
});

test('a BLANK reaches to the end of its file, not less or more, and is no longer than what can fail to fit', () => {
  for (const size of [8, 2191, 2193, FILE, -1]) {
    const cutter = newCutter({ position: 6000 });
    const bytes = blank(Math.max(8, size));
    viewOf(bytes).setInt32(TOTAL_SIZE, size);
    cutter.push(bytes);
    assert.not(cutter.cut(FILE), `${size}`);
    assert.match(cutter.fault ?? '', `has a record of ${size} bytes`);
  }
  const large = newCutter({ position: FILE - MAX_RECORD - 9 });
  large.push(blank(MAX_RECORD + 9));
  assert.not(large.cut(FILE));
  assert.match(large.fault ?? '', 'has a record of 4105 bytes');
  const fits = newCutter({ position: FILE - MAX_RECORD - 8 });
  fits.push(blank(MAX_RECORD + 8));
  assert.ok(fits.cut(FILE));
});

test('at a queue that nobody knows it stops, and goes on when it is known', () => {
  const known = knownQueues('A');
  const cutter = newCutter({ known });
  cutter.push(recordAt(0, 200, { topic: 'A' }));
  cutter.push(recordAt(200, 200, { topic: 'B', queueId: 3 }));
  cutter.push(recordAt(400, 200, { topic: 'A' }));
  assert.is(joined(drain(cutter)).length, 200);
  assert.equal([cutter.unknown, cutter.fault], [{ topic: 'B', queueId: 3 }, undefined]);
  known.add('B', 0);
  assert.equal(drain(cutter), [], 'another queue of the topic is another queue');
  known.add('B', 3);
  const [run] = drain(cutter);
  assert.equal([run?.position, run?.count, cutter.unknown], [200, 2, undefined]);
});

test('a topic that was forgotten is asked for again', () => {
  const known = knownQueues('A');
  const cutter = newCutter({ known });
  known.forget('A');
  cutter.push(recordAt(0, 200, { topic: 'A' }));
  assert.not(cutter.cut(FILE));
  assert.equal(cutter.unknown, { topic: 'A', queueId: 0 });
});

const IMPOSSIBLE = ['../../outside', '..', '.', 'a/b', '', 'nul\x00', Uint8Array.of(0xff, 0xfe)];

for (const topic of IMPOSSIBLE) {
  test(`no folder is made of ${JSON.stringify(topic)}`, () => {
    const cutter = newCutter();
    cutter.push(recordAt(0, 200, { topic }));
    assert.not(cutter.cut(FILE));
    assert.is(cutter.unknown, undefined);
    assert.match(cutter.fault ?? '', 'has a record of a topic or queue that cannot be');
  });
}

test('lite topics, retry topics of pops and the like have names that can be', () => {
  for (const topic of ['%LMQ%$parent$lite', '%RETRY%G_T', '%RETRY%G+T', 'SCHEDULE_TOPIC_XXXX']) {
    const cutter = newCutter();
    cutter.push(recordAt(0, 200, { topic }));
    assert.not(cutter.cut(FILE));
    assert.equal(cutter.unknown, { topic, queueId: 0 });
  }
});

test('numbers of queues and in queues are none below 0, and queues not without end', () => {
  const wrong: Damage[] = [
    (_, view) => view.setInt32(QUEUE_ID, -1),
    (_, view) => view.setInt32(QUEUE_ID, 0x7fffffff),
    (_, view) => view.setInt32(QUEUE_ID, 4096),
    (_, view) => writeInt64(view, QUEUE_OFFSET, -1),
  ];
  for (const damage of wrong) {
    const record = recordAt(0, 200);
    damage(record, viewOf(record));
    const cutter = newCutter();
    cutter.push(record);
    assert.not(cutter.cut(FILE));
    assert.match(cutter.fault ?? '', 'for position 0 has a record ');
    assert.is(cutter.unknown, undefined);
  }
});

test('what is held bounds the memory, however much passes', () => {
  const cutter = newCutter({ fileSize: 2 ** 30, maxRecord: 300_000 });
  const first = cutter.bytes.length;
  let position = 0;
  for (let n = 0; n < 200; n++) {
    const record = recordAt(position, 10_000);
    for (let at = 0; at < record.length; at += 999) cutter.push(record.subarray(at, at + 999));
    position += record.length;
    assert.is(drain(cutter, 64 * 1024).length, 1);
  }
  assert.is(cutter.bytes.length, first);
  const large = recordAt(position, 300_000);
  for (let at = 0; at < large.length; at += 64 * 1024) {
    cutter.push(large.subarray(at, at + 64 * 1024));
    assert.ok(cutter.bytes.length <= 2 * (cutter.held + 64 * 1024));
    if (at + 64 * 1024 < large.length) assert.not(cutter.cut(64 * 1024));
  }
  assert.is(drain(cutter, 64 * 1024)[0]?.bytes.length, 300_000);
  assert.is(cutter.fault, undefined);
});

test('a message of a lite topic waits until its second queue is known, too', () => {
  const lite = `%LMQ%$${TOPIC}$room-1`;
  const multi = (queue: string) => `INNER_MULTI_DISPATCH\x01${queue}\x02INNER_MULTI_QUEUE_OFFSET\x01007\x02`;
  const known = knownQueues(TOPIC);
  const cutter = newCutter({ known });
  cutter.push(recordAt(0, 300, { properties: multi(lite) }));
  // Of another topic's lite topic: that is in no second queue.
  cutter.push(recordAt(300, 300, { properties: multi('%LMQ%$other$room-1') }));
  assert.equal(drain(cutter), []);
  assert.equal(cutter.unknown, { topic: lite, queueId: 0 });
  known.add(lite, 0);
  assert.is(joined(drain(cutter)).length, 600);
  assert.is(cutter.unknown, undefined);
  cutter.push(recordAt(600, 300, { properties: multi(`%LMQ%$${TOPIC}$../x`) }));
  assert.equal(drain(cutter), []);
  assert.match(cutter.fault ?? '', /topic or queue that cannot be/);
});

test.run();
