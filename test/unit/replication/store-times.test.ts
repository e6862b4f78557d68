/** How far a copy is behind in time, by the store times in the log. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { behindMs } from '../../../src/replication/store-times.ts';
import { blank, FILE, MemoryLog, recordAt } from './support.ts';

const test = suite('behind in time');

/** Three records, the unused rest of their file, and one more. */
function threeAndOne(): MemoryLog {
  const records = [0, 1_000, 2_000].map((position, n) =>
    recordAt(position, 1_000, { storeTimestamp: 10_000 + 1_000 * n }),
  );
  const last = recordAt(FILE, 1_000, { storeTimestamp: 19_000 });
  const log = new MemoryLog(Uint8Array.from(Buffer.concat([...records, blank(FILE - 3_000), last])));
  log.newest = 19_000;
  return log;
}

test('the first message that is lacking against the newest, over the end of a file too', () => {
  const log = threeAndOne();
  const at = [0, 1_000, 2_000, 3_000, FILE].map((position) => behindMs(log, position));
  assert.equal(at, [9_000, 8_000, 7_000, 0, 0]);
});

test('who has everything is not behind, nor one that has half a record more than it tells', () => {
  const log = threeAndOne();
  assert.is(behindMs(log, log.end), 0);
  assert.is(behindMs(log, log.end + 5), 0);
  // RocketMQ's slaves report any byte: what counts is the next record that they lack as a whole.
  assert.is(behindMs(log, 1), 8_000);
  assert.is(behindMs(log, 1_999), 7_000);
});

test('where the log cannot be read, or no record is found, nothing is said', () => {
  const log = threeAndOne();
  log.isUnreadable = true;
  assert.is(behindMs(log, 0), undefined);
  assert.is(behindMs(new MemoryLog(new Uint8Array(FILE)), 0), undefined);
  const late = threeAndOne();
  late.start = FILE;
  assert.is(behindMs(late, 1_000), 0, 'the file that has gone is passed over');
});

test('a clock that was set back makes nobody early', () => {
  const log = threeAndOne();
  log.newest = 5_000;
  assert.is(behindMs(log, 0), 0);
});

test.run();
