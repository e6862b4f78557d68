/** A slave and a master of which neither has a byte: no disagreement, and the first message finds both ready. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CHUNK_HEAD_BYTES, REPORT_BYTES, writeReport } from '../../../src/protocol/replication-frames.ts';
import { SlaveFeed } from '../../../src/replication/master/slave-feed.ts';
import { DEFAULT_REPLICATION_OPTIONS } from '../../../src/replication/options.ts';

const test = suite('a master without messages');

function setUp() {
  const written = { start: 0, end: 0, newest: 0, fileSize: 1024 };
  const sent: Uint8Array[] = [];
  const reasons: string[] = [];
  const feed = new SlaveFeed({
    log: Object.assign(written, {
      bytes: (position: number, length: number) => new Uint8Array(length).fill(position),
    }),
    socket: {
      send: (pieces, taken) => {
        sent.push(...pieces);
        taken();
      },
      close: () => {},
    },
    options: DEFAULT_REPLICATION_OPTIONS,
    host: 'slave',
    port: 1,
    now: () => 0,
    acknowledged: () => {},
    ended: (_, why) => void reasons.push(why),
  });
  const report = (position: number) => {
    const bytes = new Uint8Array(REPORT_BYTES);
    writeReport(new DataView(bytes.buffer), 0, position);
    feed.received(bytes);
  };
  return { written, sent, reasons, feed, report };
}

test('it keeps a slave that wants the log from its first byte on, and counts it as near', () => {
  const { written, sent, reasons, feed, report } = setUp();
  report(1);
  report(1);
  assert.equal(reasons, []);
  assert.is(feed.acknowledged, 0, 'it has nothing that the master has not');
  assert.ok(feed.inSync);
  written.end = 300;
  feed.pump();
  assert.equal(
    sent.map(({ length }) => length),
    [CHUNK_HEAD_BYTES, 299],
  );
});

test('it refuses one that has more than that', () => {
  const { reasons, report } = setUp();
  report(2);
  assert.is(reasons.length, 1);
  assert.match(reasons[0] ?? '', /its log ends at 2, and ours ends at 0/);
});

test.run();
