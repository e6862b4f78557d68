/** All slaves of a master: who is let in, who counts, and how far enough of them have come. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MAX_SLAVES, MAX_SLAVES_OF_HOST } from '../../../src/lib/limits.ts';
import { Feeds } from '../../../src/replication/master/feeds.ts';
import { type Follower, Replicas } from '../../../src/replication/master/replicas.ts';
import type { SlaveFeed } from '../../../src/replication/master/slave-feed.ts';
import type { ReplicationOptions } from '../../../src/replication/options.ts';
import {
  APPENDED,
  Positions,
  REPLICATED,
  SLAVES_ENOUGH,
  SLAVES_LACKING,
  SLAVES_STATE,
  SLAVES_TOO_FEW,
  SLAVES_UNNEEDED,
} from '../../../src/ring/positions.ts';
import { recordingLog } from '../../support/recording-log.ts';
import { FILE, MemoryLog, optionsWith, recordAt, reports, SlaveSocket } from './support.ts';

const test = suite('slaves of a master');

function rigOf(options: Partial<ReplicationOptions> = {}, length = 3 * FILE) {
  const log = new MemoryLog(new Uint8Array(length));
  const positions = new Positions();
  const { log: lines, lines: told } = recordingLog();
  const rig = { log, positions, told, now: 1_000_000, news: 0, feeds: undefined as unknown as Feeds };
  rig.feeds = new Feeds({
    ...{ log, positions, lines },
    options: optionsWith({ brokerRole: 'SYNC_MASTER', inSyncReplicas: 2, ...options }),
    now: () => rig.now,
    news: () => rig.news++,
  });
  return rig;
}

function slaveAt(rig: ReturnType<typeof rigOf>, host: string, position: number) {
  const socket = new SlaveSocket();
  const feed = rig.feeds.open(host, 4711, socket) as SlaveFeed;
  feed.received(reports(position));
  return { socket, feed };
}

/** A SYNC_MASTER of so many copies. */
const copies = (inSyncReplicas: number, more: Partial<ReplicationOptions> = {}) =>
  optionsWith({ brokerRole: 'SYNC_MASTER', inSyncReplicas, ...more });

const follower = (host: string, has: number, inSync = true): Follower => ({ host, has, inSync });

test('no more slaves are let in than there is room for, which is said, and one that goes makes room', () => {
  const rig = rigOf();
  const feeds = Array.from({ length: MAX_SLAVES }, (_, n) =>
    rig.feeds.open(`10.0.0.${n}`, 1, new SlaveSocket()),
  );
  assert.ok(feeds.every((feed) => feed !== undefined));
  assert.equal(rig.told, []);
  assert.is(rig.feeds.open('10.0.1.1', 1, new SlaveSocket()), undefined);
  assert.equal([rig.feeds.size, rig.told.length], [MAX_SLAVES, 1]);
  assert.equal(rig.told[0]?.fields, { address: '10.0.1.1:1', limit: MAX_SLAVES, name: 'MAX_SLAVES' });
  rig.feeds.closed(feeds[0] as SlaveFeed);
  assert.ok(rig.feeds.open('10.0.1.1', 1, new SlaveSocket()));
});

test('one host has no more than its part of the places, and others come in beside it', () => {
  const rig = rigOf();
  const from = (host: string) => rig.feeds.open(host, 7, new SlaveSocket());
  const taken = Array.from({ length: MAX_SLAVES_OF_HOST }, () => from('10.0.0.1'));
  assert.ok(taken.every((feed) => feed !== undefined));
  assert.is(from('10.0.0.1'), undefined);
  assert.equal(
    rig.told.map(({ fields }) => fields),
    [{ address: '10.0.0.1:7', limit: MAX_SLAVES_OF_HOST, name: 'MAX_SLAVES_OF_HOST' }],
  );
  assert.ok(from('10.0.0.2'));
  rig.feeds.closed(taken[0] as SlaveFeed);
  assert.ok(from('10.0.0.1'));
});

test('each that ends is told of once, with the reason', () => {
  const rig = rigOf();
  const { feed } = slaveAt(rig, '10.0.0.2', -1);
  rig.feeds.closed(feed, 'reset');
  assert.equal(
    rig.told.map(({ level, message }) => [level, message]),
    [['warn', 'a slave is no longer fed']],
  );
  const other = slaveAt(rig, '10.0.0.3', 100).feed;
  rig.feeds.closed(other, 'reset');
  rig.feeds.closed(other, 'reset');
  assert.equal(rig.told.length, 2);
  assert.equal(rig.told[1]?.fields, {
    ...{ address: '10.0.0.3:4711', acknowledged: 100 },
    ...{ behind: rig.log.end - 100, reason: 'reset' },
  });
  assert.is(rig.feeds.size, 0);
});

test('a SYNC_MASTER lacks its slave until that is near, and again when it has gone', () => {
  const rig = rigOf({ haMaxGapNotInSync: 1000 });
  const lacking = () => rig.positions.get(SLAVES_STATE);
  assert.is(lacking(), 1);
  const { feed } = slaveAt(rig, '10.0.0.2', 100);
  assert.equal([lacking(), rig.news, rig.positions.get(REPLICATED)], [1, 0, 0]);
  feed.received(reports(rig.log.end - 10));
  assert.equal([lacking(), rig.news, rig.positions.get(REPLICATED)], [0, 1, rig.log.end - 10]);
  feed.received(reports(rig.log.end - 10));
  assert.is(rig.news, 1, 'nothing is new');
  rig.log.grow(new Uint8Array(1000));
  rig.feeds.tick();
  assert.equal([lacking(), rig.news], [1, 2]);
  feed.received(reports(rig.log.end));
  rig.feeds.closed(feed);
  assert.equal([lacking(), rig.positions.get(REPLICATED)], [1, rig.log.end]);
});

test('where a slave wants to begin counts as nothing that it has, however often it says so', () => {
  const rig = rigOf();
  const { feed } = slaveAt(rig, '10.0.0.2', 1000);
  feed.received(reports(1000));
  assert.equal([rig.positions.get(REPLICATED), rig.positions.get(SLAVES_LACKING)], [0, 0]);
  feed.received(reports(1001));
  assert.is(rig.positions.get(REPLICATED), 1001);
});

test('an ASYNC_MASTER waits for none, whoever comes', () => {
  const rig = rigOf({ brokerRole: 'ASYNC_MASTER', inSyncReplicas: 3 });
  slaveAt(rig, '10.0.0.2', 100);
  assert.equal([rig.positions.get(SLAVES_STATE), rig.positions.get(REPLICATED), rig.news], [0, 0, 0]);
});

test('as many slaves as are waited for must have it: the slowest of the fastest counts', () => {
  const positions = new Positions();
  let news = 0;
  const replicas = new Replicas(positions, copies(3), () => news++);
  replicas.update([follower('a', 500)]);
  assert.equal([positions.get(REPLICATED), positions.get(SLAVES_STATE), news], [0, 1, 0]);
  replicas.update([follower('a', 500), follower('b', 300), follower('c', 100)]);
  assert.equal([positions.get(REPLICATED), positions.get(SLAVES_STATE), news], [300, 0, 1]);
  replicas.update([follower('a', 500), follower('b', 300), follower('c', 400, false)]);
  assert.equal([positions.get(REPLICATED), positions.get(SLAVES_STATE)], [400, 0]);
  replicas.update([follower('a', 500, false), follower('b', 400), follower('c', 400, false)]);
  assert.equal([positions.get(REPLICATED), positions.get(SLAVES_STATE)], [400, 1]);
});

test('connections of one host are one slave', () => {
  const positions = new Positions();
  const replicas = new Replicas(positions, copies(3), () => {});
  replicas.update([follower('a', 500), follower('a', 400), follower('a', 300)]);
  assert.equal([positions.get(REPLICATED), positions.get(SLAVES_STATE)], [0, 1]);
  replicas.update([follower('a', 500, false), follower('a', 600, true), follower('b', 300)]);
  assert.equal([positions.get(REPLICATED), positions.get(SLAVES_STATE)], [300, 0]);
});

test('what enough had is theirs for good: REPLICATED never goes back', () => {
  const positions = new Positions();
  const replicas = new Replicas(positions, copies(2), () => {});
  replicas.update([follower('a', 500)]);
  replicas.update([follower('b', 200)]);
  replicas.update([]);
  assert.equal([positions.get(REPLICATED), positions.get(SLAVES_STATE)], [500, 1]);
});

test('below the least number of copies no message is taken, and above it too few are only lacking', () => {
  const positions = new Positions();
  const replicas = new Replicas(positions, copies(3, { minInSyncReplicas: 2 }), () => {});
  const state = () => positions.get(SLAVES_STATE);
  assert.is(state(), SLAVES_TOO_FEW);
  replicas.update([follower('a', 500)]);
  assert.is(state(), SLAVES_LACKING);
  replicas.update([follower('a', 500), follower('b', 500)]);
  assert.is(state(), SLAVES_ENOUGH);
  replicas.update([follower('a', 500, false), follower('b', 500, false)]);
  assert.is(state(), SLAVES_TOO_FEW);
});

test('a number that adapts itself is what is there, between its two limits', () => {
  const positions = new Positions();
  const adapts = copies(3, { enableAutoInSyncReplicas: true });
  const replicas = new Replicas(positions, adapts, () => {});
  const shown = () => [positions.get(REPLICATED), positions.get(SLAVES_STATE)];
  assert.equal(shown(), [0, SLAVES_UNNEEDED]);
  replicas.update([follower('a', 500)]);
  assert.equal(shown(), [500, SLAVES_ENOUGH]);
  replicas.update([follower('a', 900), follower('b', 700), follower('c', 600)]);
  assert.equal(shown(), [700, SLAVES_ENOUGH]);
  replicas.update([follower('a', 900), follower('b', 700, false)]);
  assert.equal(shown(), [900, SLAVES_ENOUGH]);
  replicas.update([]);
  assert.equal(shown(), [900, SLAVES_UNNEEDED]);
  const least = new Positions();
  const two = { ...adapts, minInSyncReplicas: 2 };
  const careful = new Replicas(least, two, () => {});
  assert.is(least.get(SLAVES_STATE), SLAVES_TOO_FEW);
  careful.update([follower('a', 500)]);
  assert.is(least.get(SLAVES_STATE), SLAVES_ENOUGH);
});

test('where all are waited for the slowest counts, and one that catches up only when it has', () => {
  const positions = new Positions();
  positions.set(APPENDED, 1_000);
  const all = copies(2, { allAckInSyncStateSet: true });
  const replicas = new Replicas(positions, all, () => {});
  const shown = () => [positions.get(REPLICATED), positions.get(SLAVES_STATE)];
  assert.equal(shown(), [0, SLAVES_UNNEEDED]);
  replicas.update([follower('a', 900)]);
  assert.equal(shown(), [0, SLAVES_UNNEEDED]);
  replicas.update([follower('a', 1_000), follower('b', 200)]);
  assert.equal(shown(), [1_000, SLAVES_ENOUGH]);
  positions.set(APPENDED, 2_000);
  replicas.update([follower('a', 1_600), follower('b', 1_000)]);
  assert.equal(shown(), [1_000, SLAVES_ENOUGH]);
  replicas.update([follower('a', 1_700), follower('b', 1_500)]);
  assert.equal(shown(), [1_500, SLAVES_ENOUGH]);
  positions.set(APPENDED, 3_000);
  const near = [follower('a', 2_900), follower('b', 2_800)];
  for (let tick = 0; tick < 2; tick++) replicas.tick(near);
  assert.equal(shown(), [2_800, SLAVES_ENOUGH]);
  replicas.update([follower('a', 3_000), follower('b', 3_000), follower('c', 2_850)]);
  assert.equal(shown(), [3_000, SLAVES_ENOUGH]);
  replicas.tick([follower('a', 3_000, false)]);
  assert.equal(shown(), [3_000, SLAVES_UNNEEDED]);
});

test('who has said nothing yet is no slave', () => {
  const positions = new Positions();
  const replicas = new Replicas(positions, copies(2), () => {});
  replicas.update([follower('a', -1, false)]);
  assert.equal([positions.get(REPLICATED), positions.get(SLAVES_STATE)], [0, 1]);
});

test('a file is pinned while bytes of it are on their way, and only that', () => {
  const rig = rigOf();
  const { socket, feed } = slaveAt(rig, '10.0.0.2', FILE + 100);
  const pinned = () => [0, FILE, 2 * FILE, 3 * FILE].map((start) => rig.feeds.isPinned(start));
  assert.equal(pinned(), [false, true, true, false]);
  while (feed.taken < 2 * FILE) socket.take(1);
  assert.equal(pinned(), [false, false, true, false]);
  socket.takeAll();
  assert.equal(pinned(), [false, false, false, false]);
});

test('a connection that is closed pins nothing', () => {
  const rig = rigOf();
  const { feed } = slaveAt(rig, '10.0.0.2', FILE);
  assert.ok(rig.feeds.isPinned(FILE));
  rig.feeds.closed(feed);
  assert.not(rig.feeds.isPinned(FILE));
});

/** A log without records says nothing of times. */
const SILENT = { behindMs: undefined };

test('all are fed when the log has grown, and what each is at is told', () => {
  const rig = rigOf({ brokerRole: 'ASYNC_MASTER' }, 1000);
  const [one, other] = [slaveAt(rig, '10.0.0.2', 1000), slaveAt(rig, '::1', 400)];
  other.socket.takeAll();
  rig.log.grow(new Uint8Array(24));
  rig.feeds.pump();
  rig.now += 1000;
  assert.equal(rig.feeds.states(), [
    {
      address: '10.0.0.2:4711',
      acknowledged: 1000,
      next: 1024,
      behind: 24,
      ...SILENT,
      inSync: true,
      rate: 36,
    },
    { address: '::1:4711', acknowledged: 400, next: 1024, behind: 624, ...SILENT, inSync: true, rate: 648 },
  ]);
  rig.now += 1000;
  assert.equal(
    rig.feeds.states().map(({ rate }) => rate),
    [0, 0],
  );
  assert.is(one.socket.chunks.length, 1);
});

test('a slave that no longer counts is told of once, with both lags, and once when it counts again', () => {
  const rig = rigOf({ haMaxGapNotInSync: 1_500 }, 0);
  const grow = (storeTimestamp: number) => {
    rig.log.grow(recordAt(rig.log.end, 1_000, { storeTimestamp }));
    rig.log.newest = storeTimestamp;
    rig.feeds.tick();
  };
  grow(10_000);
  const { feed } = slaveAt(rig, '10.0.0.2', 1);
  rig.feeds.tick();
  assert.equal(rig.told, [], 'it counts from its first report on');
  grow(20_000);
  grow(31_000);
  rig.feeds.tick();
  feed.received(reports(2_000));
  rig.feeds.tick();
  grow(45_000);
  grow(60_000);
  rig.feeds.closed(feed);
  assert.equal(
    rig.told.map(({ level, message, fields }) => [
      level,
      message,
      fields?.['behind'],
      fields?.['behindSeconds'],
    ]),
    [
      ['warn', 'a slave is too far behind to count', 1_999, 0],
      ['info', 'a slave is near enough to the end again to count', 1_000, 0],
      ['warn', 'a slave is too far behind to count', 2_000, 14],
      ['info', 'a slave has gone', 3_000, 29],
    ],
  );
});

test('the silent are given up by the clock, and the others stay', () => {
  const rig = rigOf({ haHousekeepingInterval: 20_000 });
  slaveAt(rig, '10.0.0.2', 100);
  rig.now += 15_000;
  slaveAt(rig, '10.0.0.3', 100);
  rig.now += 6_000;
  rig.feeds.tick();
  assert.equal(
    rig.feeds.states().map(({ address }) => address),
    ['10.0.0.3:4711'],
  );
});

test.run();
