/** The master's end of a slave's connection: what it believes, what it sends, and how much of it is under way. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { writeInt64 } from '../../../src/lib/int64.ts';
import { MAX_UNDER_WAY, SlaveFeed } from '../../../src/replication/master/slave-feed.ts';
import type { ReplicationOptions } from '../../../src/replication/options.ts';
import { FILE, MemoryLog, optionsWith, reports, SlaveSocket, viewOf } from './support.ts';

const test = suite('slave feed');

class Rig {
  readonly log: MemoryLog;
  readonly socket = new SlaveSocket();
  readonly ended: string[] = [];
  readonly feed: SlaveFeed;
  acknowledged = 0;
  now = 1_000_000;

  constructor(log: MemoryLog | number = 1000, options: Partial<ReplicationOptions> = {}) {
    this.log = typeof log === 'number' ? new MemoryLog(bytesOf(log)) : log;
    this.feed = new SlaveFeed({
      log: this.log,
      socket: this.socket,
      options: optionsWith({ haTransferBatchSize: 1024, ...options }),
      host: '10.0.0.2',
      port: 4711,
      now: () => this.now,
      acknowledged: () => this.acknowledged++,
      ended: (_, why) => this.ended.push(why),
    });
  }

  /** The slave is there and has so much. */
  says(...positions: number[]): this {
    this.feed.received(reports(...positions));
    return this;
  }
}

/** Bytes of which each tells where it is. */
function bytesOf(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, at) => (at * 7 + (at >> 8)) & 0xff);
}

function sameBytes(one: Uint8Array, other: Uint8Array): void {
  assert.is(one.length, other.length);
  assert.is(Buffer.compare(one, other), 0);
}

test('it sends nothing before it is told where to begin', () => {
  const rig = new Rig();
  rig.feed.pump();
  rig.feed.tick();
  assert.equal(rig.socket.chunks, []);
  assert.equal([rig.feed.acknowledged, rig.feed.requested, rig.feed.inSync], [-1, -1, false]);
});

test('from there on it sends all there is, and what comes', () => {
  const rig = new Rig(3000).says(100);
  rig.socket.takeAll();
  assert.equal(
    rig.socket.chunks.map(({ position, length }) => [position, length]),
    [
      [100, 1024],
      [1124, 1024],
      [2148, 852],
    ],
  );
  rig.log.grow(bytesOf(10));
  rig.feed.pump();
  assert.equal(rig.socket.chunks.at(-1)?.position, 3000);
  sameBytes(rig.socket.stream, Buffer.concat([bytesOf(3000).subarray(100), bytesOf(10)]));
});

test('reports that are cut anywhere say the same', () => {
  const bytes = reports(100, 200, 300);
  for (let first = 0; first <= bytes.length; first++) {
    for (let second = first; second <= bytes.length; second++) {
      const rig = new Rig();
      // Up to where it begins the whole log may be acknowledged.
      rig.feed.received(bytes.subarray(0, first));
      rig.feed.received(bytes.subarray(first, second));
      rig.feed.received(bytes.subarray(second));
      assert.equal([rig.ended, rig.feed.acknowledged], [[], 300], `cut at ${first} and ${second}`);
      assert.is(rig.socket.chunks[0]?.position, rig.feed.requested);
    }
  }
});

test('byte by byte', () => {
  const rig = new Rig();
  for (const byte of reports(100, 256, 300)) rig.feed.received(Uint8Array.of(byte));
  assert.equal([rig.feed.requested, rig.feed.acknowledged, rig.acknowledged, rig.ended], [100, 300, 3, []]);
});

test('what a slave has never becomes less, whatever it says later', () => {
  const rig = new Rig().says(100).says(500).says(200);
  assert.equal([rig.feed.acknowledged, rig.acknowledged], [500, 2]);
});

const LIES: [what: string, position: bigint][] = [
  ['a position below 0', -1n],
  ['the least there is', -(2n ** 63n)],
  ['one behind our end', 1001n],
  ['no exact number', 2n ** 53n],
  ['the largest there is', 2n ** 63n - 1n],
  ['a request of HTTP', BigInt(`0x${Buffer.from('GET / HT').toString('hex')}`)],
];

for (const [what, position] of LIES) {
  test(`the first report is ${what}: the connection ends, and nothing is acknowledged or sent`, () => {
    const rig = new Rig();
    const bytes = new Uint8Array(8);
    viewOf(bytes).setBigInt64(0, position);
    rig.feed.received(bytes);
    assert.is(rig.ended.length, 1);
    const isPosition = position >= 0n && position < 2n ** 53n;
    const sentence = isPosition
      ? 'it says that its log ends at 1001, and ours ends at 1000'
      : 'it is no slave: ';
    assert.match(rig.ended[0] ?? '', sentence);
    assert.ok(rig.socket.isClosed);
    assert.equal([rig.feed.acknowledged, rig.acknowledged, rig.socket.chunks], [-1, 0, []]);
    rig.says(100);
    rig.feed.pump();
    rig.feed.tick();
    assert.equal([rig.ended.length, rig.socket.chunks], [1, []]);
  });
}

test('a later report of more than was sent is a lie too', () => {
  const rig = new Rig(4 * MAX_UNDER_WAY).says(100);
  assert.ok(rig.feed.next < rig.log.end);
  rig.says(rig.feed.next);
  assert.equal([rig.ended, rig.feed.acknowledged], [[], rig.feed.next]);
  rig.says(rig.feed.next + 1);
  assert.match(rig.ended[0] ?? '', `was sent no more than up to ${rig.feed.next}`);
  assert.is(rig.feed.acknowledged, rig.feed.next);
});

test('a slave without a log begins at the last file when it asks for 0, as in RocketMQ', () => {
  const log = new MemoryLog(bytesOf(3 * FILE + 100));
  const rig = new Rig(log).says(0);
  assert.equal([rig.socket.chunks[0]?.position, rig.feed.requested], [3 * FILE, 0]);
  sameBytes(rig.socket.stream, bytesOf(3 * FILE + 100).subarray(3 * FILE));
  rig.says(0);
  assert.equal(rig.ended, [], 'it lives, and has nothing yet');
  const full = new Rig(new MemoryLog(bytesOf(2 * FILE))).says(0);
  assert.equal([full.socket.chunks, full.feed.next], [[], 2 * FILE]);
  const short = new MemoryLog(bytesOf(FILE + 100));
  short.start = FILE + 50;
  assert.is(new Rig(short).says(0).socket.chunks[0]?.position, FILE + 50);
});

test('an empty slave of ours and an empty master wait for the first message together', () => {
  const rig = new Rig(0).says(1);
  assert.equal([rig.ended, rig.feed.acknowledged, rig.feed.behind, rig.feed.inSync], [[], 0, 0, true]);
  rig.says(1);
  rig.feed.tick();
  rig.log.grow(bytesOf(300));
  rig.feed.pump();
  assert.equal(rig.ended, []);
  assert.equal(
    rig.socket.chunks.map(({ position, length }) => [position, length]),
    [[1, 299]],
  );
  rig.says(300);
  assert.equal([rig.feed.acknowledged, rig.ended], [300, []]);
});

test('before the start of the log there is nothing to send, and the sentence says what to do', () => {
  const log = new MemoryLog(bytesOf(3 * FILE));
  log.start = FILE;
  const late = new Rig(log).says(FILE - 1);
  assert.equal(late.ended.length, 1);
  assert.match(
    late.ended[0] ?? '',
    `too far behind: it is at position ${FILE - 1}, and the log begins at ${FILE}`,
  );
  const empty = new Rig(log).says(1);
  assert.match(empty.ended[0] ?? '', 'it has no log yet, and ours begins at 8192');
  assert.equal([late.socket.chunks, empty.socket.chunks], [[], []]);
});

test('a slave that is overtaken by the deletion of files ends in the same way', () => {
  const rig = new Rig(4 * MAX_UNDER_WAY).says(100);
  rig.log.start = 3 * MAX_UNDER_WAY;
  rig.socket.take(1);
  assert.match(rig.ended[0] ?? '', 'too far behind');
});

test('no chunk is longer than a batch or lies in two files', () => {
  const rig = new Rig(new MemoryLog(bytesOf(3 * FILE + 17)), { haTransferBatchSize: 3000 }).says(1);
  rig.socket.takeAll();
  for (const { position, length } of rig.socket.chunks) {
    assert.ok(length > 0 && length <= 3000);
    assert.is(Math.floor(position / FILE), Math.floor((position + length - 1) / FILE));
  }
  sameBytes(rig.socket.stream, bytesOf(3 * FILE + 17).subarray(1));
});

test('a slave that does not read has a mebibyte and a batch under way, and no more comes with its reports', () => {
  const rig = new Rig(4 * MAX_UNDER_WAY, { haTransferBatchSize: 32 * 1024 }).says(100);
  const sent = rig.socket.chunks.length;
  assert.ok(rig.feed.next - rig.feed.taken <= MAX_UNDER_WAY + 32 * 1024);
  for (let n = 0; n < 1000; n++) rig.says(100);
  rig.feed.pump();
  rig.feed.tick();
  assert.is(rig.socket.chunks.length, sent);
  rig.socket.take(2);
  assert.ok(rig.socket.chunks.length > sent && rig.socket.chunks.length <= sent + 2);
  rig.socket.takeAll();
  sameBytes(rig.socket.stream, bytesOf(4 * MAX_UNDER_WAY).subarray(100));
});

test('when nothing is new the slave hears that the master lives', () => {
  const rig = new Rig(1000, { haSendHeartbeatInterval: 5_000 }).says(1000);
  rig.now += 5_000;
  rig.feed.tick();
  assert.equal(rig.socket.chunks, []);
  rig.now += 1;
  rig.feed.tick();
  rig.feed.tick();
  assert.equal(
    rig.socket.chunks.map(({ position, length }) => [position, length]),
    [[1000, 0]],
  );
});

test('while bytes are under way there is no heartbeat: who does not read would collect them', () => {
  const rig = new Rig(1000, { haSendHeartbeatInterval: 5_000 }).says(100);
  assert.is(rig.socket.chunks.length, 1);
  rig.now += 10_000;
  rig.feed.tick();
  assert.is(rig.socket.chunks.length, 1);
  rig.socket.takeAll();
  rig.feed.tick();
  assert.is(rig.socket.chunks.at(-1)?.length, 0);
});

test('a slave that says nothing is given up, from its first moment on', () => {
  const rig = new Rig(1000, { haHousekeepingInterval: 20_000 });
  rig.now += 20_000;
  rig.feed.tick();
  assert.equal(rig.ended, []);
  rig.now += 1;
  rig.feed.tick();
  assert.equal(rig.ended, ['it has not said within 20 s where its log ends: it is no slave']);

  // Byte by byte is no more.
  const slow = new Rig(1000, { haHousekeepingInterval: 20_000 });
  for (let n = 0; n < 7; n++) {
    slow.now += 3_000;
    slow.feed.received(new Uint8Array(1));
    slow.feed.tick();
  }
  assert.is(slow.ended.length, 1);

  const later = new Rig(1000, { haHousekeepingInterval: 20_000 }).says(100);
  later.now += 20_000;
  later.says(100);
  later.now += 20_000;
  later.feed.tick();
  assert.equal(later.ended, []);
  later.now += 1;
  later.feed.tick();
  assert.equal(later.ended, ['nothing was heard of it for 20 s']);
});

test('flow control sends a second its bytes and no more, heads included', () => {
  const options = { haFlowControlEnable: true, maxHaTransferByteInSecond: 2048 };
  const rig = new Rig(10_000, options).says(1);
  rig.socket.takeAll();
  const sent = () => rig.socket.chunks.reduce((sum, { length }) => sum + length, 0);
  const first = sent();
  assert.ok(first <= 2048 && first > 1900, `${first}`);
  rig.now += 999;
  rig.feed.tick();
  assert.is(sent(), first);
  let seconds = 0;
  while (sent() < 9_999) {
    rig.now += 1000;
    rig.feed.tick();
    rig.socket.takeAll();
    assert.ok(sent() <= 2048 * (2 + seconds));
    seconds++;
  }
  assert.ok(seconds >= 4);
  sameBytes(rig.socket.stream, bytesOf(10_000).subarray(1));
});

test('without flow control the limit means nothing', () => {
  const rig = new Rig(10_000, { haFlowControlEnable: false, maxHaTransferByteInSecond: 1 }).says(1);
  rig.socket.takeAll();
  assert.is(rig.socket.stream.length, 9_999);
});

test('closed while bytes are on their way: what the kernel takes then has no consequence', () => {
  const rig = new Rig(4 * MAX_UNDER_WAY).says(100);
  const sent = rig.socket.chunks.length;
  rig.feed.close();
  rig.socket.takeAll();
  rig.says(100);
  rig.feed.tick();
  assert.equal([rig.socket.chunks.length, rig.ended, rig.acknowledged], [sent, [], 1]);
});

test('a log that cannot be read ends the connection instead of sending what it is not', () => {
  const log = new MemoryLog(bytesOf(1000));
  log.isUnreadable = true;
  const rig = new Rig(log).says(100);
  assert.equal(rig.ended, ['the log cannot be read at position 100']);
  assert.equal(rig.socket.chunks, []);
});

test('a slave counts when it is nearer to the end than the gap allows', () => {
  const rig = new Rig(4000, { haMaxGapNotInSync: 1000 }).says(3000);
  assert.equal([rig.feed.inSync, rig.feed.behind], [false, 1000]);
  rig.says(3001);
  assert.equal([rig.feed.inSync, rig.feed.behind], [true, 999]);
  rig.log.grow(bytesOf(1));
  assert.not(rig.feed.inSync);
});

test('a flood of reports costs no more than the last of them', () => {
  const rig = new Rig();
  const flood = new Uint8Array(8 * 10_000);
  for (let n = 0; n < 10_000; n++) writeInt64(viewOf(flood), n * 8, n === 9_999 ? 700 : -n);
  rig.feed.received(flood);
  assert.equal([rig.ended, rig.acknowledged, rig.feed.acknowledged], [[], 1, 700]);
});

test.run();
