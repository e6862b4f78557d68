/** The log of a slave: it takes what its master has written, byte for byte and in its place, and nothing else. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { encodeRecord } from '../../../src/record/encode.ts';
import { plainBulk } from '../../../src/ring/bulk.ts';
import { APPENDED, APPENDED_TIME, MESSAGES_APPENDED, Positions } from '../../../src/ring/positions.ts';
import {
  APPENDED_OK,
  CommitLog,
  IS_COPY,
  NO_SEGMENT,
  OUT_OF_PLACE,
  TOO_LARGE,
} from '../../../src/store/log/commit-log.ts';
import { Segments } from '../../../src/store/log/segments.ts';
import { QueueDirectory } from '../../../src/store/queue/queue-directory.ts';
import { SimDisk } from '../../sim/sim-disk.ts';
import { bodyFor, headFor } from '../../support/messages.ts';
import { blank, logOf, recordAt } from '../replication/support.ts';

const test = suite('copied log');
const FILE = 8192;

class Copy {
  readonly disk = new SimDisk();
  readonly positions = new Positions();
  readonly directory = QueueDirectory.plain(8);
  readonly segments = new Segments(this.disk, '/log', FILE);
  readonly rolls: number[] = [];
  readonly log: CommitLog;

  constructor() {
    const state = { position: 0, storeTimestamp: 50, isCopy: true };
    this.log = new CommitLog(this.segments, this.positions, this.directory, state, (start) =>
      this.rolls.push(start),
    );
  }

  /** Appends these bytes of a master, which stand behind others in what has come. */
  take(bytes: Uint8Array, count: number, position = this.log.position, storeTimestamp = 1000): number {
    const source = plainBulk(16 + bytes.length);
    source.bytes.set(bytes, 16);
    return this.log.appendRaw(source, 16, bytes.length, count, position, storeTimestamp);
  }

  /** All files one behind the other, up to the end of the log. */
  get bytes(): Buffer {
    const files = this.disk.list('/log').sort();
    const all = Buffer.concat(files.map((name) => Buffer.from(this.disk.bytesOf(`/log/${name}`))));
    return all.subarray(0, this.log.position);
  }

  get state() {
    const { position, storeTimestamp } = this.log;
    const { positions } = this;
    return [position, storeTimestamp, positions.get(APPENDED), positions.get(MESSAGES_APPENDED)];
  }
}

test('what a master has written comes out as it was, over the ends of files', () => {
  const master = logOf([300, 4000, 3000, 4000, 4000], FILE);
  const copy = new Copy();
  for (const [from, to, count] of [
    [0, 300, 1],
    [300, 4300, 1],
    [4300, FILE, 1],
    [FILE, FILE + 8000, 2],
  ] as const)
    assert.is(copy.take(master.subarray(from, to), count, from, from + 1000), APPENDED_OK);
  assert.equal([copy.positions.get(APPENDED), copy.rolls], [0, [0, FILE]]);
  assert.ok(copy.log.publish());
  assert.is(Buffer.compare(copy.bytes, master), 0);
  assert.equal(copy.state, [FILE + 8000, FILE + 1000, FILE + 8000, 5]);
  assert.is(copy.positions.get(APPENDED_TIME), FILE + 1000);
});

test('the unused rest of a file has no message and no time', () => {
  const copy = new Copy();
  copy.take(recordAt(0, 300), 1, 0, 700);
  assert.is(copy.take(blank(FILE - 300), 0, 300, 0), APPENDED_OK);
  copy.log.publish();
  assert.equal(copy.state, [FILE, 700, FILE, 1]);
});

test('what does not follow its end is refused, and nothing is overwritten or skipped', () => {
  const copy = new Copy();
  copy.take(recordAt(0, 300), 1);
  copy.log.publish();
  const [before, state] = [Buffer.from(copy.bytes), copy.state];
  for (const position of [0, 299, 301, FILE, -1, 2 ** 53]) {
    assert.is(copy.take(recordAt(position, 300, { fill: 1 }), 1, position), OUT_OF_PLACE, `${position}`);
    copy.log.publish();
  }
  assert.is(Buffer.compare(copy.bytes, before), 0);
  assert.equal(copy.state, state);
  assert.equal(copy.disk.list('/log').length, 1);
});

test('nothing reaches over the end of a file', () => {
  const copy = new Copy();
  copy.take(recordAt(0, 300), 1);
  assert.is(copy.take(blank(FILE - 299), 0), TOO_LARGE);
  assert.is(copy.log.position, 300);
});

test('a full disk changes nothing, and it goes on when there is room again', () => {
  const copy = new Copy();
  copy.take(recordAt(0, 300), 1);
  copy.take(blank(FILE - 300), 0, 300, 0);
  copy.log.publish();
  const state = copy.state;
  copy.disk.full = true;
  const next = recordAt(FILE, 300);
  assert.is(copy.take(next, 1), NO_SEGMENT);
  copy.log.publish();
  assert.equal([copy.state, copy.rolls], [state, [0]]);
  copy.disk.full = false;
  assert.is(copy.take(next, 1), APPENDED_OK);
  copy.log.publish();
  assert.is(Buffer.compare(copy.bytes.subarray(FILE), next), 0);
  assert.equal(copy.rolls, [0, FILE]);
});

test('messages of its own it takes none, in whatever way, and no queue gets a number', () => {
  const copy = new Copy();
  const record = encodeRecord(headFor(0), Buffer.from('T'), bodyFor(300, 'T'), new Uint8Array(0));
  const source = plainBulk(16 + 300);
  source.bytes.set(record, 16);
  assert.equal(
    [
      copy.log.append(source, 16, 300, 1),
      copy.log.appendBatch(source, 16, 300, 1, 1),
      copy.log.appendTwice(source, 16, 300, 1, 2, 200),
    ],
    [IS_COPY, IS_COPY, IS_COPY],
  );
  copy.log.publish();
  assert.equal(copy.state, [0, 50, 0, 0]);
  assert.equal([copy.directory.next(1), copy.directory.next(2), copy.disk.list('/log')], [0, 0, []]);
});

test("the master's records enter though a topic was deleted here", () => {
  const copy = new Copy();
  copy.log.retire(1);
  assert.is(copy.take(recordAt(0, 300), 1), APPENDED_OK);
});

test('a record larger than what is staged at once enters whole', () => {
  const copy = new Copy();
  assert.is(copy.take(recordAt(0, FILE - 8), 1), APPENDED_OK);
  assert.is(copy.take(blank(8), 0, FILE - 8, 0), APPENDED_OK);
  copy.log.publish();
  assert.is(Buffer.compare(copy.bytes, Buffer.concat([recordAt(0, FILE - 8), blank(8)])), 0);
});

test.run();
