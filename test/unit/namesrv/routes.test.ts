import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Liveness } from '../../../src/namesrv/liveness.ts';
import { clusterInfo, nearbyRoute, routeOf } from '../../../src/namesrv/route-views.ts';
import { type Registration, Routes } from '../../../src/namesrv/routes.ts';
import type { ClientConnection } from '../../../src/remoting/connection.ts';
import { recordingLog } from '../../support/recording-log.ts';

class FakeConnection implements ClientConnection {
  readonly id = 'fake';
  readonly remoteAddress = '10.0.0.1:5000';
  closed = false;
  send(): void {}
  request(): Promise<never> {
    return Promise.reject(new Error('nobody there'));
  }
  close(): void {
    this.closed = true;
  }
}

type Changes = Partial<Registration> & {
  counter?: number;
  stateVersion?: number;
  topics?: string[];
  perm?: number;
};

function registration({
  counter = 1,
  stateVersion = 0,
  topics = ['t1', 't2'],
  perm = 6,
  ...rest
}: Changes): Registration {
  return {
    clusterName: 'c',
    brokerName: 'b',
    brokerAddr: 'a:1',
    brokerId: 0,
    haServerAddr: 'a:2',
    zoneName: undefined,
    heartbeatTimeoutMs: undefined,
    enableActingMaster: false,
    body: {
      dataVersion: { counter, stateVersion, timestamp: 1 },
      topics: topics.map((topicName) => ({
        topicName,
        readQueueNums: 4,
        writeQueueNums: 4,
        perm,
        topicSysFlag: 0,
      })),
      mappings: new Map(),
      filterServers: undefined,
    },
    ...rest,
  };
}

function setUp() {
  const { log, lines } = recordingLog();
  const routes = new Routes(log);
  let now = 0;
  const clock = { now: () => now, monotonic: () => now };
  const liveness = new Liveness(routes, clock);
  return {
    routes,
    liveness,
    lines,
    /** What the operator has to see to. */
    get warnings() {
      return lines.filter(({ level, message }) => level === 'warn' && !message.startsWith('broker lost'));
    },
    register: (changes: Changes = {}, connection = new FakeConnection(), deleteMissingTopics = false) =>
      routes.register(registration(changes), { connection, now, deleteMissingTopics }),
    advance: (ms: number) => {
      now += ms;
    },
    addresses: () => [...(routes.brokers.get('b')?.brokerAddrs ?? [])],
    perm: (topic: string) => routes.topics.queuesOf(topic)?.get('b')?.perm,
  };
}

test('who comes and goes is told, once each, and how it went', () => {
  const { routes, register, liveness, advance, lines } = setUp();
  const connection = new FakeConnection();
  register({ topics: ['t1', 't2'] }, connection);
  register({ topics: ['t1', 't2'] }, connection);
  routes.unregister({ clusterName: 'c', brokerName: 'b', brokerAddr: 'a:1' });
  routes.unregister({ clusterName: 'c', brokerName: 'b', brokerAddr: 'a:1' });
  register({ topics: ['t1', 't2'] }, connection);
  liveness.connectionClosed(connection);
  register({ topics: ['t1', 't2'] }, connection);
  advance(120_001);
  liveness.evictExpired();
  assert.equal(
    lines.map(({ level, message, fields }) => [level, message, fields['reason'] ?? '']),
    [
      ['info', 'broker registered', ''],
      ['info', 'broker unregistered', ''],
      ['info', 'broker registered', ''],
      ['warn', 'broker lost: it is no longer in the routes', 'its connection has closed'],
      ['info', 'broker registered', ''],
      ['warn', 'broker lost: it is no longer in the routes', 'silent for more than 120000 ms'],
    ],
  );
  assert.equal(lines[0]?.fields, { broker: 'b', brokerId: 0, cluster: 'c', address: 'a:1', topics: 2 });
});

test('a silent broker is removed and its connection closed', () => {
  const { routes, liveness, register, advance } = setUp();
  const connection = new FakeConnection();
  register({}, connection);
  advance(120_000);
  liveness.evictExpired();
  assert.ok(routes.brokers.has('b'), 'exactly 120 s are not too long');
  advance(1);
  liveness.evictExpired();
  assert.not(routes.brokers.has('b'));
  assert.equal([...routes.topics.topics()], []);
  assert.ok(connection.closed);
});

test('a broker may ask for a time of its own, and heartbeats count', () => {
  const { routes, liveness, register, advance } = setUp();
  register({ heartbeatTimeoutMs: 10_000 });
  advance(8000);
  routes.live.touch('c', 'a:1', 8000);
  routes.live.touch('c', 'unknown:1', 8000);
  advance(8000);
  liveness.evictExpired();
  assert.ok(routes.brokers.has('b'));
  advance(8000);
  liveness.evictExpired();
  assert.not(routes.brokers.has('b'));
});

test('one address, one id: a slave that became master leaves its old id', () => {
  const { register, addresses } = setUp();
  register({ brokerId: 1 });
  register({ brokerId: 0 });
  assert.equal(addresses(), [[0, 'a:1']]);
});

test('of two masters the one elected later wins', () => {
  const { routes, register, addresses } = setUp();
  register({ stateVersion: 2 });
  assert.equal(register({ brokerAddr: 'z:1', stateVersion: 1 }), {});
  assert.equal(addresses(), [[0, 'a:1']]);
  assert.is(routes.live.get('c', 'z:1'), undefined);
  register({ brokerAddr: 'z:1', stateVersion: 2 });
  assert.equal(addresses(), [[0, 'z:1']]);
});

/** How the one that took the place goes. */
const ENDS: [string, (env: ReturnType<typeof setUp>, connection: FakeConnection) => void][] = [
  ['by goodbye', ({ routes }) => routes.unregister({ clusterName: 'c', brokerName: 'b', brokerAddr: 'z:1' })],
  ['with its connection', ({ liveness }, connection) => liveness.connectionClosed(connection)],
  [
    'by silence',
    ({ liveness, advance, routes }) => {
      advance(100_000);
      routes.live.touch('c', 'a:1', 100_000);
      advance(30_000);
      liveness.evictExpired();
    },
  ],
];

for (const [how, end] of ENDS) {
  test(`two living brokers with one name: the last one is led to; when it goes ${how}, the other is back`, () => {
    const env = setUp();
    const { register, addresses, routes } = env;
    const second = new FakeConnection();
    register({ topics: ['t1', 'only-a'] });
    register({ brokerAddr: 'z:1', topics: ['t1', 'only-z'], perm: 4 }, second);
    assert.equal(addresses(), [[0, 'z:1']]);
    assert.is(env.perm('t1'), 4);
    assert.equal(
      env.warnings.map(({ fields }) => [fields['broker'], fields['address'], fields['other']]),
      [['b', 'z:1', 'a:1']],
    );
    assert.match(env.warnings[0]?.message ?? '', /set another brokerName/);
    end(env, second);
    assert.equal(addresses(), [[0, 'a:1']]);
    assert.equal([...routes.topics.topicsOf('b')].sort(), ['only-a', 't1']);
    assert.is(env.perm('t1'), 6, 'as the broker had registered it');
    assert.is(env.warnings.length, 2);
    assert.is(env.warnings[1]?.fields['address'], 'a:1');
    assert.match(env.warnings[1]?.message ?? '', /led to this address again/);
    routes.unregister({ clusterName: 'c', brokerName: 'b', brokerAddr: 'a:1' });
    assert.is(routes.brokers.size, 0);
    assert.is(routes.topics.topicsOf('b').size, 0);
  });
}

test('two living brokers with one name take turns with their own topics, and each turn is told', () => {
  const env = setUp();
  const { register, routes, perm } = env;
  const connections = [new FakeConnection(), new FakeConnection()];
  for (let turn = 0; turn < 4; turn++) {
    register({ topics: ['t1', 'only-a'] }, connections[0]);
    if (turn > 0) assert.equal([perm('t1'), routes.topics.has('only-z', 'b')], [6, false]);
    register({ topics: ['t1', 'only-z'], brokerAddr: 'z:1', perm: 4 }, connections[1]);
    assert.is(perm('t1'), 4);
  }
  assert.is(env.warnings.length, 7);
});

test('the one in the shadow goes: nothing changes, and nobody comes back for it', () => {
  const { register, routes, addresses } = setUp();
  register({});
  register({ brokerAddr: 'z:1' });
  routes.unregister({ clusterName: 'c', brokerName: 'b', brokerAddr: 'a:1' });
  assert.equal(addresses(), [[0, 'z:1']]);
  routes.unregister({ clusterName: 'c', brokerName: 'b', brokerAddr: 'z:1' });
  assert.is(routes.brokers.size, 0);
});

test('a broker that has moved takes its place without a word', () => {
  const env = setUp();
  const { register, liveness, addresses, routes } = env;
  const before = new FakeConnection();
  register({}, before);
  liveness.connectionClosed(before);
  const after = new FakeConnection();
  register({ brokerAddr: 'z:1' }, after);
  register({ brokerAddr: 'z:2' }, after);
  assert.equal(addresses(), [[0, 'z:2']]);
  assert.equal(env.warnings, []);
  routes.unregister({ clusterName: 'c', brokerName: 'b', brokerAddr: 'z:2' });
  assert.is(routes.brokers.size, 0);
});

test('a refused registration leaves no trace', () => {
  const { routes, register } = setUp();
  assert.is(register({ topics: ['only'] }), undefined);
  assert.equal(clusterInfo(routes), { brokerAddrTable: {}, clusterAddrTable: {} });
});

test('an unchanged data version updates nothing but topics that are missing', () => {
  const { routes, register, perm } = setUp();
  register();
  register({ perm: 4, topics: ['t1', 't2', 't3'] });
  assert.is(perm('t1'), 6);
  assert.is(perm('t3'), 4);
  register({ perm: 4, counter: 2 });
  assert.is(perm('t1'), 4);
  routes.topics.deleteTopic('t1');
  register({ perm: 4, counter: 2 });
  assert.is(perm('t1'), 4);
});

test('topics that a registration leaves out stay, unless asked otherwise', () => {
  const { register, perm } = setUp();
  register();
  register({ topics: ['t1', 't9'], counter: 2 });
  assert.is(perm('t2'), 6);
  register({ topics: ['t1'], counter: 3 }, undefined, true);
  assert.is(perm('t2'), undefined);
  assert.is(perm('t1'), 6);
});

test('without a master the smallest slave speaks, read-only when it acts for the master', () => {
  const { routes, register, perm } = setUp();
  register({ brokerId: 2, enableActingMaster: true });
  assert.is(perm('t1'), 4);
  register({ brokerId: 3, brokerAddr: 'z:1', enableActingMaster: true, topics: ['t1', 't8'] });
  assert.is(perm('t8'), undefined);
  const old = setUp();
  old.register({ brokerId: 1, enableActingMaster: undefined });
  assert.is(old.perm('t1'), undefined, 'slaves older than 5.0 never speak');

  const shown = routeOf(routes, 't1', true)?.brokerDatas[0]?.brokerAddrs;
  assert.equal(
    [...(shown ?? [])],
    [
      [0, 'a:1'],
      [3, 'z:1'],
    ],
  );
  const hidden = routeOf(routes, 't1', false)?.brokerDatas[0]?.brokerAddrs;
  assert.equal(
    [...(hidden ?? [])],
    [
      [2, 'a:1'],
      [3, 'z:1'],
    ],
  );
});

test('when the master goes and a slave acts for it, its topics become read-only', () => {
  const { routes, register, perm } = setUp();
  register({ enableActingMaster: true });
  register({ brokerId: 1, brokerAddr: 'z:1', enableActingMaster: true });
  routes.unregister({ clusterName: 'c', brokerName: 'b', brokerAddr: 'a:1' });
  assert.is(perm('t1'), 4);
  routes.unregister({ clusterName: 'c', brokerName: 'b', brokerAddr: 'z:1' });
  assert.is(perm('t1'), undefined);
  assert.is(routes.clusters.size, 0);
});

test('when the master goes without such a slave, its topics stay as they are', () => {
  const { routes, register, perm } = setUp();
  register();
  register({ brokerId: 1, brokerAddr: 'z:1' });
  routes.unregister({ clusterName: 'c', brokerName: 'b', brokerAddr: 'a:1' });
  assert.is(perm('t1'), 6);
});

test('a topic on two brokers outlives one of them', () => {
  const { routes, register, perm } = setUp();
  register();
  register({ brokerName: 'b2', brokerAddr: 'z:1' });
  routes.unregister({ clusterName: 'c', brokerName: 'b2', brokerAddr: 'z:1' });
  assert.is(perm('t1'), 6);
  assert.equal([...(routes.topics.queuesOf('t1')?.keys() ?? [])], ['b']);
  assert.equal([...(routes.clusters.get('c') ?? [])], ['b']);
});

test('routes of a zone leave masters of others out, but keep names without a master', () => {
  const { routes, register } = setUp();
  register({ zoneName: 'North' });
  register({ brokerName: 'b2', brokerAddr: 'y:1', zoneName: 'south' });
  register({ brokerName: 'b3', brokerAddr: 'z:1', brokerId: 1, zoneName: 'south' });
  const route = routeOf(routes, 't1', false);
  const near = route && nearbyRoute(route, 'north');
  assert.equal(
    near?.brokerDatas.map((broker) => broker.brokerName),
    ['b', 'b3'],
  );
  assert.equal(
    near?.queueDatas.map((queue) => queue.brokerName),
    ['b', 'b3'],
  );
});

test('brokers, topics and mappings have limits, and what goes over one changes nothing', () => {
  const routes = new Routes();
  const options = { connection: new FakeConnection(), now: 1, deleteMissingTopics: false };
  const put = (changes: Changes) => routes.register(registration(changes), options);
  for (let i = 0; i < 4096; i++) put({ brokerName: `b${i}`, brokerAddr: `a:${i}`, topics: ['t1', 't2'] });
  assert.throws(() => put({ brokerName: 'more', brokerAddr: 'x:1' }), /limit MAX_REGISTERED_BROKERS/);
  assert.not.ok(routes.brokers.has('more'));
  assert.ok(put({ brokerName: 'b7', brokerAddr: 'a:7', counter: 2 }));
  routes.unregister({ clusterName: 'c', brokerName: 'b0', brokerAddr: 'a:0' });
  assert.ok(put({ brokerName: 'more', brokerAddr: 'x:1' }));

  const many = (prefix: string, count: number) => Array.from({ length: count }, (_, i) => `${prefix}${i}`);
  const room = () => 1_048_576 - routes.topics.size;
  for (let i = 1; room() > 100_000; i++)
    put({ brokerName: `b${i}`, brokerAddr: `a:${i}`, counter: 3, topics: many('t', 100_000) });
  const last = { brokerName: 'b99', brokerAddr: 'a:99', counter: 3 };
  assert.throws(() => put({ ...last, topics: many('u', room() + 1) }), /limit MAX_REGISTERED_TOPICS/);
  assert.is(routes.topics.has('u0', 'b99'), false);
  put({ ...last, topics: many('u', room()) });
  assert.is(room(), 0);
  const queue = { brokerName: 'b99', readQueueNums: 1, writeQueueNums: 1, perm: 6, topicSysFlag: 0 };
  assert.throws(() => routes.registerTopic('one-more', [queue]), /limit MAX_REGISTERED_TOPICS/);
  routes.registerTopic('u0', [queue]);

  const mappings = (count: number) =>
    new Map(many('m', count).map((topic) => [topic, { brokerName: 'b99', info: {} }]));
  const body = {
    ...registration({ ...last, counter: 4, topics: ['u0', 'u1'] }).body,
    mappings: mappings(16_385),
  };
  assert.throws(() => put({ ...last, body }), /limit MAX_QUEUE_MAPPINGS/);
});

test.run();
