/** Consumer offsets as a slave asks for them: what has changed, the whole in parts, and RocketMQ's whole table. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { BrokerContext } from '../../../src/broker/context.ts';
import { MasterAsks } from '../../../src/broker/follow/master-asks.ts';
import { OffsetExchange } from '../../../src/broker/follow/offset-exchange.ts';
import { OffsetFeed, type OffsetNews } from '../../../src/broker/follow/offset-feed.ts';
import { OFFSETS_PAGE } from '../../../src/broker/follow/offsets-since.ts';
import { createHandlers } from '../../../src/broker/handlers.ts';
import { noLog } from '../../../src/lib/log.ts';
import type { OffsetTable } from '../../../src/metadata/offsets.ts';
import { RecentChanges } from '../../../src/metadata/recent-changes.ts';
import { RequestCode, ResponseCode } from '../../../src/protocol/codes.ts';
import { type RemotingCommand, responseTo } from '../../../src/protocol/command.ts';
import { type CommandServer, startCommandServer } from '../../../src/remoting/command-server.ts';
import { setUp } from '../broker/support.ts';
import { FakeConnection } from '../metadata/support.ts';

interface Context {
  master: BrokerContext;
  /** What the slave has by it. */
  copy: OffsetTable;
  asked: RemotingCommand[];
  /** Before each answer. */
  meanwhile: () => void;
  unknown: Set<number>;
  server: CommandServer;
  asks: MasterAsks;
  feed: OffsetFeed;
}

const test = suite<Context>('offsets of a master');

test.before.each(async (context) => {
  const master = setUp().context;
  const handlerOf = createHandlers(master, { audit: noLog, slowMillis: 0 });
  const connection = new FakeConnection('slave');
  Object.assign(context, { master, copy: setUp().context.offsets, asked: [], unknown: new Set() });
  context.meanwhile = () => {};
  context.server = await startCommandServer({
    host: '127.0.0.1',
    port: 0,
    handler: async (request) => {
      context.asked.push(request);
      context.meanwhile();
      const handler = context.unknown.has(request.code) ? undefined : handlerOf.get(request.code);
      if (handler !== undefined) return handler(request, connection);
      return responseTo(request, ResponseCode.REQUEST_CODE_NOT_SUPPORTED, 'none');
    },
  });
  context.asks = new MasterAsks(() => undefined);
  context.asks.follow(`127.0.0.1:${context.server.port}`);
  context.feed = new OffsetFeed(context.asks);
});

test.after.each(async ({ asks, server }) => {
  asks.close();
  await server.close();
});

/** One round; how many requests it took. */
async function round({ feed, copy, asked }: Context, take: (news: OffsetNews) => boolean = () => true) {
  const before = asked.length;
  const news = await feed.news();
  if (news !== undefined && take(news)) {
    const exchange = new OffsetExchange(copy);
    for (const table of news.tables) exchange.take(table);
    news.took();
  }
  return asked.length - before;
}

const tableOf = (offsets: OffsetTable) =>
  [...offsets.part(0, 1e6).offsetTable.keys()]
    .sort()
    .map((key) => [key, [...(offsets.queuesOf(key.split('@')[1] ?? '', key.split('@')[0] ?? '') ?? [])]]);

test('first the whole in parts, then only what has changed', async (context) => {
  const { master, copy } = context;
  const pairs = 2 * OFFSETS_PAGE + 7;
  for (let i = 0; i < pairs; i++) master.offsets.commit(`g${i}`, 't', i % 3, i);
  assert.is(await round(context), 3);
  assert.equal(tableOf(copy), tableOf(master.offsets));
  assert.is(await round(context), 1, 'nothing has changed');
  for (const [group, offset] of [
    ['g5', 50],
    ['g5', 51],
    ['new', 3],
  ] as const)
    master.offsets.commit(group, 't', 2, offset);
  const sizes: number[] = [];
  await round(context, ({ tables }) => {
    sizes.push(
      ...tables.map((table) => (table as Map<string, unknown>).size ?? Object.keys(table ?? {}).length),
    );
    return true;
  });
  assert.equal(sizes, [2]);
  assert.equal(tableOf(copy), tableOf(master.offsets));
});

test('what was not taken over is told again', async (context) => {
  const { master, copy } = context;
  master.offsets.commit('g', 't', 0, 1);
  await round(context);
  master.offsets.commit('g', 't', 0, 2);
  await round(context, () => false);
  assert.is(copy.query('g', 't', 0), 1);
  await round(context);
  assert.is(copy.query('g', 't', 0), 2);
});

test('who is too far behind, or knows another life of the table, is told the whole', async (context) => {
  const { master, copy, feed } = context;
  master.offsets.commit('h', 't', 0, 9);
  await round(context);
  for (let i = 0; i < 70_000; i++) master.offsets.commit('g', 't', i % 8, i);
  await round(context);
  assert.equal(tableOf(copy), tableOf(master.offsets));
  feed.forget();
  master.offsets.commit('g', 't', 0, 1);
  await round(context);
  assert.is(copy.query('g', 't', 0), 1);
  Object.assign(master.offsets, { life: 'another' });
  master.offsets.commit('h', 't', 0, 10);
  await round(context);
  assert.is(copy.query('h', 't', 0), 10);
});

test('pairs that come and go while the whole is told are not missed', async (context) => {
  const { master, copy } = context;
  for (let i = 0; i < 2 * OFFSETS_PAGE; i++) master.offsets.commit(`g${i}`, 't', 0, i);
  let left = 2;
  context.meanwhile = () => {
    if (left-- > 0) master.offsets.removeGroup(`g${left}`);
  };
  await round(context);
  context.meanwhile = () => {};
  await round(context);
  for (let i = 2; i < 2 * OFFSETS_PAGE; i++) assert.is(copy.query(`g${i}`, 't', 0), i);
  assert.is(copy.query(`g${OFFSETS_PAGE}`, 't', 0), OFFSETS_PAGE, 'the first of the second part');
});

test('nor are they when that has no end, as where pairs live for a moment', async (context) => {
  const { master, copy } = context;
  const pairs = 4 * OFFSETS_PAGE;
  for (let i = 0; i < pairs; i++) master.offsets.commit(`g${i}`, 't', 0, i);
  let gone = 0;
  context.meanwhile = () => {
    for (let i = 0; i < 100; i++) master.offsets.removeGroup(`g${gone++}`);
    master.offsets.commit(`new${gone}`, 't', 0, 1);
  };
  await round(context);
  context.meanwhile = () => {};
  assert.ok(gone < OFFSETS_PAGE);
  for (let i = gone; i < pairs; i++) assert.is(copy.query(`g${i}`, 't', 0), i);
});

test('a table that changes faster than it is told is asked for in the next round', async (context) => {
  const { master } = context;
  const pairs = 2 * OFFSETS_PAGE;
  for (let i = 0; i < pairs; i++) master.offsets.commit(`g${i}`, 't', 0, i);
  context.meanwhile = () => Object.assign(master.offsets, { life: String(context.asked.length) });
  let failure = '';
  await round(context).catch((error) => {
    failure = (error as Error).message;
  });
  assert.match(failure, 'another table');
});

test('a RocketMQ is asked for all of it, and looked at when that is other than before', async (context) => {
  const { master, copy, unknown, asked } = context;
  unknown.add(RequestCode.GET_OFFSETS_SINCE);
  master.offsets.commit('g', 't', 0, 1);
  await round(context);
  assert.is(copy.query('g', 't', 0), 1);
  let looked = 0;
  await round(context, () => {
    looked += 1;
    return true;
  });
  assert.is(looked, 0);
  master.offsets.commit('g', 't', 0, 2);
  await round(context);
  assert.is(copy.query('g', 't', 0), 2);
  const since = asked.filter(({ code }) => code === RequestCode.GET_OFFSETS_SINCE);
  assert.is(since.length, 1, 'each ask would be an error in its log');
});

test('recent changes know what they know', () => {
  const recent = new RecentChanges(4);
  for (const key of ['a', 'b', 'a']) recent.add(key);
  assert.equal(recent.since(0, 9), { keys: new Set(['a', 'b']), revision: 3 });
  assert.equal(recent.since(0, 1), { keys: new Set(['a']), revision: 1 });
  assert.equal(recent.since(3, 9), { keys: new Set(), revision: 3 });
  assert.is(recent.since(4, 9), undefined, 'of another table');
  for (const key of ['c', 'd']) recent.add(key);
  assert.is(recent.since(0, 9), undefined, 'the oldest is forgotten');
  assert.equal(recent.since(1, 9), { keys: new Set(['b', 'a', 'c', 'd']), revision: 5 });
});

test.run();
