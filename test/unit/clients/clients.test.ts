import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ClientTable } from '../../../src/clients/clients.ts';
import type { ConsumerData } from '../../../src/clients/heartbeat.ts';
import { newSubscription } from '../../../src/clients/subscription.ts';
import type { BrokerSettings } from '../../../src/metadata/settings.ts';
import { RequestCode } from '../../../src/protocol/codes.ts';
import { isOneway } from '../../../src/protocol/command.ts';
import { FakeConnection, FakeTime, silentLog, testSettings } from '../metadata/support.ts';

const test = suite('clients');

function setUp(changes: Partial<BrokerSettings> = {}) {
  const time = new FakeTime();
  const table = new ClientTable(testSettings(changes), time, silentLog, time);
  return { time, table, consumers: table.consumers };
}

function consumer(changes: Partial<ConsumerData> = {}): ConsumerData {
  return {
    groupName: 'g',
    consumeType: 'CONSUME_PASSIVELY',
    messageModel: 'CLUSTERING',
    consumeFromWhere: 'CONSUME_FROM_LAST_OFFSET',
    unitMode: false,
    subscriptions: [newSubscription('t', '*', 'TAG', 1n)],
    ...changes,
  };
}

function registration(connection: FakeConnection, clientId: string, changes: Partial<ConsumerData> = {}) {
  return {
    client: { connection, clientId, language: 'JAVA', version: 513 },
    consumer: consumer(changes),
    notify: true,
    fingerprint: 0,
    withoutSubscriptions: false,
  };
}

/** What happens becomes known to the members within so many ms. */
const NOTICE_MS = 100;

test('members are told when someone joins or leaves, once and at once, and only then', async () => {
  const { consumers, table, time } = setUp();
  const [a, b] = [new FakeConnection('a'), new FakeConnection('bb')];
  consumers.register(registration(a, 'id-a'));
  consumers.register(registration(b, 'id-b'));
  assert.equal([a.sent.length, b.sent.length], [0, 0]);
  await time.advance(0);
  assert.equal([a.sent.length, b.sent.length], [1, 1]);
  await time.advance(NOTICE_MS);
  assert.equal([a.sent.length, b.sent.length], [1, 1]);
  const notice = b.sent[0];
  assert.is(notice?.code, RequestCode.NOTIFY_CONSUMER_IDS_CHANGED);
  assert.is(notice?.fields['consumerGroup'], 'g');
  assert.ok(notice !== undefined && isOneway(notice));
  consumers.register(registration(b, 'id-b'));
  await time.advance(NOTICE_MS);
  assert.is(a.sent.length, 1);
  assert.is(time.waiting, 0);
  table.connectionClosed('bb');
  await time.advance(NOTICE_MS);
  assert.equal([a.sent.length, b.sent.length], [2, 1]);
  assert.equal(
    consumers
      .get('g')
      ?.members()
      .map((member) => member.clientId),
    ['id-a'],
  );
  consumers.unregister('g', 'a', true);
  await time.advance(NOTICE_MS);
  assert.is(consumers.get('g'), undefined);
  assert.is(a.sent.length, 2);
});

test('each change is told within a moment, also one that comes while others are told', async () => {
  const { consumers, time } = setUp();
  const first = new FakeConnection('a');
  consumers.register(registration(first, 'id-a'));
  await time.advance(NOTICE_MS);
  // Someone joins every 30 ms: who was there is told every 100 ms or so, and of the last one too.
  for (let i = 0; i < 10; i++) {
    consumers.register(registration(new FakeConnection(`member-${i}`), `id-${i}`));
    await time.advance(30);
  }
  assert.ok(first.sent.length >= 4 && first.sent.length <= 6, `${first.sent.length} notices`);
  await time.advance(NOTICE_MS);
  const told = first.sent.length;
  consumers.register(registration(new FakeConnection('last'), 'id-last'));
  await time.advance(NOTICE_MS);
  assert.is(first.sent.length, told + 1, 'the last change is told, once');
  await time.advance(10 * NOTICE_MS);
  assert.is(first.sent.length, told + 1);
  // A change that happens because of the notice itself.
  const { send } = first;
  first.send = (command) => {
    send.call(first, command);
    if (first.sent.length === told + 2) consumers.unregister('g', 'member-3', true);
  };
  consumers.unregister('g', 'member-2', true);
  await time.advance(0);
  assert.is(first.sent.length, told + 2);
  await time.advance(NOTICE_MS);
  assert.is(first.sent.length, told + 3);
});

test('ten thousand consumers that come and go cost notices for each, not for each of each', async () => {
  const { consumers, table, time } = setUp();
  const count = 10_000;
  let notices = 0;
  let changes = 0;
  consumers.changed.add(() => changes++);
  const connections = Array.from({ length: count }, (_, i) => {
    const connection = new FakeConnection(`c${i}`);
    connection.send = () => notices++;
    return connection;
  });
  for (const [i, connection] of connections.entries())
    consumers.register(registration(connection, `id-${i}`));
  await time.advance(NOTICE_MS);
  assert.is(notices, count);
  // In ten bursts, as connections of a client process that ends.
  for (let burst = 0; burst < 10; burst++) {
    for (let i = 0; i < count / 10; i++) table.connectionClosed(`c${burst * (count / 10) + i}`);
    await time.advance(NOTICE_MS);
  }
  assert.is(notices, count + 45_000);
  assert.is(consumers.get('g'), undefined);
  assert.is(changes, 2, 'what the network threads know of a group are its subscriptions: it came, it went');
});

test('groups with many members are told in several goes', async () => {
  const { consumers, time } = setUp();
  let notices = 0;
  for (let group = 0; group < 5; group++) {
    for (let i = 0; i < 1500; i++) {
      const connection = new FakeConnection(`${group}-${i}`);
      connection.send = () => notices++;
      consumers.register(registration(connection, `id-${i}`, { groupName: `g${group}` }));
    }
  }
  const goes: number[] = [];
  const { after } = time;
  time.after = (delayMs, task) => {
    return after.call(time, delayMs, () => {
      task();
      goes.push(notices);
    });
  };
  consumers.unregister('g0', '0-0', true);
  await time.advance(NOTICE_MS);
  assert.equal(goes, [4 * 1500 - 1, 5 * 1500 - 1]);
});

test('nobody is told in broadcasting groups, by configuration, or against the broker setting', async () => {
  for (const [settings, data, notify] of [
    [{}, { messageModel: 'BROADCASTING' }, true],
    [{}, {}, false],
    [{ notifyConsumerIdsChangedEnable: false }, {}, true],
  ] as const) {
    const { consumers, time } = setUp(settings);
    const connection = new FakeConnection('a');
    consumers.register({ ...registration(connection, 'id', data), notify });
    await time.advance(NOTICE_MS);
    assert.is(connection.sent.length, 0);
  }
});

test('two connections with one client id: both are there, the id once, and either may go', async () => {
  for (const closes of ['a', 'bb']) {
    const { consumers, table, time } = setUp();
    const [older, newer] = [new FakeConnection('a'), new FakeConnection('bb')];
    consumers.register(registration(older, 'id'));
    consumers.register(registration(newer, 'id'));
    consumers.register(registration(newer, 'id'));
    const group = consumers.get('g');
    assert.is(group?.members().length, 2);
    assert.equal(group?.clientIds(), ['id']);
    assert.is(group?.find('id')?.connection, newer);
    await time.advance(NOTICE_MS);
    const told = older.sent.length + newer.sent.length;
    table.connectionClosed(closes);
    await time.advance(NOTICE_MS);
    assert.equal(consumers.get('g')?.clientIds(), ['id']);
    assert.is(consumers.get('g')?.find('id')?.connection, closes === 'a' ? newer : older);
    assert.is(older.sent.length + newer.sent.length, told + 1, 'who is left is told');
    table.connectionClosed(closes === 'a' ? 'bb' : 'a');
    assert.is(consumers.get('g'), undefined);
  }
});

test('a connection that changes its client id is one member with the new id, and the group is told', async () => {
  const { consumers, time } = setUp();
  const connection = new FakeConnection('a');
  consumers.register(registration(connection, 'id'));
  await time.advance(NOTICE_MS);
  const told = connection.sent.length;
  consumers.register(registration(connection, 'new-id'));
  await time.advance(NOTICE_MS);
  assert.equal(consumers.get('g')?.clientIds(), ['new-id']);
  assert.is(connection.sent.length, told + 1);
});

test('who joins or leaves a group that stays as it is changes nothing for others to hear of', () => {
  const { table, consumers } = setUp();
  const events: string[] = [];
  consumers.changed.add((group) =>
    events.push(`${group}: ${consumers.get(group)?.members().length ?? 'gone'}`),
  );
  for (let i = 0; i < 100; i++) consumers.register(registration(new FakeConnection(`c${i}`), `id${i}`));
  assert.equal(events, ['g: 1']);
  for (let i = 0; i < 100; i++) table.connectionClosed(`c${i}`);
  assert.equal(events, ['g: 1', 'g: gone']);
});

test('subscriptions: newer versions win, topics no longer named go', async () => {
  const { consumers, time } = setUp();
  const connection = new FakeConnection('a');
  const events: string[] = [];
  consumers.changed.add((group) => events.push(group));
  consumers.register(registration(connection, 'id'));
  await time.advance(NOTICE_MS);
  const told = connection.sent.length;
  consumers.register(
    registration(connection, 'id', { subscriptions: [newSubscription('t', 'x', 'TAG', 2n)] }),
  );
  await time.advance(NOTICE_MS);
  assert.is(consumers.findSubscription('g', 't')?.subString, 'x');
  assert.is(connection.sent.length, told);
  assert.is(events.length, 2);
  consumers.register(
    registration(connection, 'id', {
      subscriptions: [newSubscription('t', 'old', 'TAG', 1n), newSubscription('u', '*', 'TAG', 1n)],
    }),
  );
  await time.advance(NOTICE_MS);
  assert.is(consumers.findSubscription('g', 't')?.subString, 'x');
  assert.is(connection.sent.length, told + 1);
  assert.equal(consumers.groupsOf('u'), ['g']);
  consumers.register(registration(connection, 'id', { subscriptions: [] }));
  assert.equal(consumers.groupsOf('u'), []);
});

test('heartbeats V2: subscriptions are asked for when they changed or are not known', () => {
  const { consumers } = setUp();
  const connection = new FakeConnection('a');
  const beat = (fingerprint: number, withoutSubscriptions: boolean) =>
    consumers.register({
      ...registration(connection, 'id', withoutSubscriptions ? { subscriptions: [] } : {}),
      fingerprint,
      withoutSubscriptions,
    });
  assert.is(beat(7, true), true);
  assert.is(beat(7, false), false);
  assert.is(beat(7, true), false);
  assert.ok(consumers.findSubscription('g', 't'));
  assert.is(beat(8, false), true);
  assert.is(beat(8, true), false);
  consumers.removeConnection('a');
  assert.is(beat(8, true), true);
});

test('silent clients are dropped after two minutes and their connections closed', async () => {
  const { consumers, table, time } = setUp();
  const [silent, alive] = [new FakeConnection('a'), new FakeConnection('bb')];
  consumers.register(registration(silent, 'id-a'));
  consumers.register(registration(alive, 'id-b'));
  table.producers.register('p', registration(silent, 'id-a').client, time.monotonic());
  await time.advance(100_000);
  consumers.register(registration(alive, 'id-b'));
  await time.advance(20_001);
  const told = alive.sent.length;
  table.expireSilent();
  await time.advance(NOTICE_MS);
  assert.ok(silent.isClosed);
  assert.not.ok(alive.isClosed);
  assert.is(alive.sent.length, told + 1);
  assert.is(table.producers.members('p'), undefined);
  assert.is(table.producers.findConnection('id-a'), undefined);
});

test('producers: the older connection of a client id takes over when the newer closes', () => {
  const { table } = setUp();
  const { producers } = table;
  const connections = ['a', 'bb', 'ccc'].map((id) => new FakeConnection(id));
  for (const connection of connections) {
    producers.register('p', registration(connection, 'id').client, 0);
    producers.register('q', registration(connection, 'id').client, 0);
  }
  // A heartbeat of an older one does not make it the newest.
  producers.register('p', registration(connections[0] as FakeConnection, 'id').client, 1);
  const [a, b, c] = connections;
  assert.is(producers.findConnection('id'), c);
  table.connectionClosed('ccc');
  assert.is(producers.findConnection('id'), b);
  table.connectionClosed('a');
  assert.is(producers.findConnection('id'), b);
  producers.unregister('p', 'bb');
  assert.is(producers.findConnection('id'), b, 'still in the other group');
  producers.register('q', registration(b as FakeConnection, 'new-id').client, 1);
  assert.is(producers.findConnection('id'), undefined);
  assert.is(producers.findConnection('new-id'), b);
  table.connectionClosed('bb');
  assert.is(producers.findConnection('new-id'), undefined);
  assert.equal([producers.groups(), a?.isClosed], [[], false]);
});

test('producers: several groups on one connection, newest connection found by client id', () => {
  const { table, time } = setUp();
  const { producers } = table;
  const [a, b] = [new FakeConnection('a'), new FakeConnection('bb')];
  producers.register('p', registration(a, 'id').client, time.monotonic());
  producers.register('q', registration(a, 'id').client, time.monotonic());
  producers.register('p', registration(b, 'id').client, time.monotonic());
  assert.is(producers.findConnection('id'), b);
  table.connectionClosed('a');
  assert.is(producers.findConnection('id'), b);
  assert.is(producers.members('q'), undefined);
  assert.is(producers.pick('p'), b);
  producers.unregister('p', 'bb');
  assert.is(producers.findConnection('id'), undefined);
  assert.is(producers.pick('p'), undefined);
});

test('subscriptions of pulls without heartbeats count until they are old', async () => {
  const { consumers, table, time } = setUp();
  consumers.offline.note('g', newSubscription('t', '*', 'TAG', 1n));
  assert.ok(consumers.findSubscription('g', 't'));
  await time.advance(600_001);
  table.expireSilent();
  assert.is(consumers.findSubscription('g', 't'), undefined);
});

test.run();
