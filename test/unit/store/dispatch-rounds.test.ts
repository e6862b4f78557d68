/** A round of the dispatcher ends by what it has to do, so that who shares its thread need not wait for long. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { unreachable } from '../../../src/lib/assert.ts';
import { encodeRecord } from '../../../src/record/encode.ts';
import { plainBulk } from '../../../src/ring/bulk.ts';
import { APPENDED, Positions } from '../../../src/ring/positions.ts';
import { Watermark } from '../../../src/ring/watermark.ts';
import { Dispatcher } from '../../../src/store/dispatch/dispatcher.ts';
import { CommitLog } from '../../../src/store/log/commit-log.ts';
import { Segments } from '../../../src/store/log/segments.ts';
import { QueueDirectory } from '../../../src/store/queue/queue-directory.ts';
import { QueueTable } from '../../../src/store/queue/queue-table.ts';
import { SimDisk } from '../../sim/sim-disk.ts';
import { headFor, LOG } from '../../support/messages.ts';

const test = suite('dispatch rounds');
const FILE = 64 << 20;

/** Records taken by each round, of a log whose records have these keys. */
function rounds(keys: readonly string[]): number[] {
  const disk = new SimDisk();
  const positions = new Positions();
  const directory = QueueDirectory.plain(8);
  const state = { position: 0, storeTimestamp: 1_000_000 };
  disk.makeDirectory(LOG);
  disk.makeDirectory('/cq');
  const log = new CommitLog(new Segments(disk, LOG, FILE), positions, directory, state);
  const bulk = plainBulk(64 * 1024);
  for (const one of keys) {
    const record = encodeRecord(
      headFor(0),
      Buffer.from('T'),
      Buffer.from('x'),
      Buffer.from(`KEYS\x01${one}\x02`),
    );
    bulk.bytes.set(record);
    assert.is(log.append(bulk, 0, record.length, 1), 0);
  }
  log.publish();
  const queues = new QueueTable(disk, '/cq', 20 * 8, directory);
  queues.add('T', 0, 1);
  const dispatcher = new Dispatcher({
    ...{ segments: new Segments(disk, LOG, FILE), positions, queues, directory, index: undefined },
    bound: new Watermark(positions, [APPENDED]),
    delayMillis: [],
    onArrival: () => {},
    onUnknownQueue: () => undefined,
    onGap: () => unreachable('a gap'),
  });
  const taken: number[] = [];
  for (let before = 0; dispatcher.doWork() > 0; before = directory.maximum(1)) {
    taken.push(directory.maximum(1) - before);
  }
  return taken;
}

test('few keys: thousands of records a round', () => {
  assert.equal(rounds(Array<string>(9_000).fill('a b')), [4096, 4096, 808]);
});

test('many keys: a round takes so many records as have the keys of thousands', () => {
  const many = 'k '.repeat(16_000);
  assert.equal(rounds(Array<string>(5).fill(many)), [2, 2, 1]);
  assert.equal(rounds(['a', many, 'b', many, 'c']), [4, 1]);
});

test.run();
