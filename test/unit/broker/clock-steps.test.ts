/** The machine's clock is set: whatever measures a span goes on as if nothing had happened. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { DayTotals } from '../../../src/broker/stats/day-totals.ts';
import { runtimeFigures } from '../../../src/broker/stats/runtime-figures.ts';
import { StatsTable } from '../../../src/broker/stats/stats.ts';
import { ClientTable } from '../../../src/clients/clients.ts';
import type { ConsumerData } from '../../../src/clients/heartbeat.ts';
import { QueueLocks } from '../../../src/clients/queue-locks.ts';
import { newSubscription, subscriptionFromJson } from '../../../src/clients/subscription.ts';
import { Liveness } from '../../../src/namesrv/liveness.ts';
import { Routes } from '../../../src/namesrv/routes.ts';
import { RequestCode } from '../../../src/protocol/codes.ts';
import { CounterSums, createCounters } from '../../../src/ring/counters.ts';
import type { StoreOptions } from '../../../src/store/options.ts';
import type { ReadsByName } from '../../../src/store/read/reads-by-name.ts';
import type { Retention } from '../../../src/store/retention/retention.ts';
import { FakeConnection, FakeTime, silentLog, testSettings } from '../metadata/support.ts';
import { bodyJson, request, setUp } from './support.ts';

const test = suite('clock steps');

const MINUTE = 60_000;
const YEAR = 365 * 24 * 60 * MINUTE;
const STEPS = [3 * MINUTE, 10 * MINUTE, -10 * MINUTE, YEAR, -YEAR];

const client = (connection: FakeConnection) => ({
  connection,
  clientId: 'id',
  language: 'JAVA',
  version: 513,
});

const consumer: ConsumerData = {
  groupName: 'g',
  consumeType: 'CONSUME_PASSIVELY',
  messageModel: 'CLUSTERING',
  consumeFromWhere: 'CONSUME_FROM_LAST_OFFSET',
  unitMode: false,
  subscriptions: [newSubscription('t', '*', 'TAG', 1n)],
};

/** Something that lives for so long after its last sign of life, and how to ask whether it still does. */
interface Span {
  name: string;
  ms: number;
  begin(time: FakeTime): () => boolean;
}

const SPANS: readonly Span[] = [
  {
    name: 'a consumer',
    ms: 120_000,
    begin(time) {
      const table = new ClientTable(testSettings(), time, silentLog, time);
      const connection = new FakeConnection('a');
      const rest = { notify: true, fingerprint: 0, withoutSubscriptions: false };
      table.consumers.register({ client: client(connection), consumer, ...rest });
      return () => {
        table.expireSilent();
        return !connection.isClosed && table.consumers.get('g') !== undefined;
      };
    },
  },
  {
    name: 'a producer',
    ms: 120_000,
    begin(time) {
      const { context, ask, connection } = setUp({}, time);
      void ask(
        request(RequestCode.HEART_BEAT, {}, { clientID: 'id', producerDataSet: [{ groupName: 'p' }] }),
      );
      return () => {
        context.clients.expireSilent();
        return !connection.isClosed && context.clients.producers.members('p') !== undefined;
      };
    },
  },
  {
    name: 'a subscription without heartbeats',
    ms: 600_000,
    begin(time) {
      const table = new ClientTable(testSettings(), time, silentLog, time);
      table.consumers.offline.note('g', newSubscription('t', '*', 'TAG', 1n));
      return () => {
        table.expireSilent();
        return table.consumers.findSubscription('g', 't') !== undefined;
      };
    },
  },
  {
    name: 'a lock on a queue',
    ms: 60_000,
    begin(time) {
      const locks = new QueueLocks(time);
      locks.lock('g', [{ brokerName: 'b', queueId: 0, topic: 't' }], 'id');
      return () => {
        locks.sweep();
        return locks.anyHeld('g');
      };
    },
  },
  {
    name: 'a broker at its name server',
    ms: 120_000,
    begin(time) {
      const routes = new Routes();
      const connection = new FakeConnection('a');
      routes.live.put({
        clusterName: 'c',
        brokerName: 'b',
        brokerAddr: 'a:1',
        haServerAddr: '',
        lastHeard: time.monotonic(),
        heartbeatTimeoutMs: 120_000,
        dataVersion: { counter: 1, stateVersion: 0, timestamp: 1 },
        connection,
        filterServers: [],
      });
      const liveness = new Liveness(routes, time);
      return () => {
        liveness.evictExpired();
        return !connection.isClosed;
      };
    },
  },
];

for (const { name, ms, begin } of SPANS) {
  test(`${name} lives for ${ms / 1000} s, whatever the clock says`, async () => {
    for (const step of STEPS) {
      const time = new FakeTime();
      const lives = begin(time);
      await time.advance(1_000);
      time.jump(step);
      assert.ok(lives(), `a step of ${step} ms ended it`);
      await time.advance(ms - 2_000);
      assert.ok(lives(), `after a step of ${step} ms it ended early`);
      await time.advance(2_000);
      assert.not.ok(lives(), `after a step of ${step} ms it did not end`);
    }
  });
}

test('rates are those of the time that passed', async () => {
  for (const step of STEPS) {
    const time = new FakeTime();
    const stats = new StatsTable(time);
    for (let i = 0; i < 12; i++) {
      stats.add('TOPIC_PUT_NUMS', 't', 50, 10);
      await time.advance(10_000);
      if (i === 8) time.jump(step);
      stats.sample();
    }
    assert.equal(stats.get('TOPIC_PUT_NUMS', 't')?.minute, { sum: 300, tps: 5, avgpt: 5 }, String(step));
  }
});

test('what is shown as a time of day goes with the clock, what is shown as a span does not', async () => {
  for (const step of STEPS) {
    const { ask, time } = setUp();
    const started = time.monotonic();
    await ask(request(RequestCode.HEART_BEAT, {}, { clientID: 'id', producerDataSet: [{ groupName: 'p' }] }));
    time.jump(step);
    await time.advance(7_000);
    const shown = bodyJson(await ask(request(RequestCode.GET_ALL_PRODUCER_INFO)))['data'];
    assert.match(JSON.stringify(shown), new RegExp(`"lastUpdateTimestamp":${time.now() - 7_000}`));
    const figures = new Map(
      runtimeFigures({
        reads: {
          dispatchBehind: 0,
          flushBehind: 0,
          messagesAppended: 0,
          earliestStoreTime: -1,
          maxOffset: () => 0,
        } as unknown as ReadsByName,
        retention: {
          diskRatio: () => 0.5,
          diskBytes: () => ({ total: 2 ** 40, free: 2 ** 39 }),
        } as Retention,
        store: { commitLogDirectory: '/log' } as StoreOptions,
        clock: time,
        counters: new CounterSums(createCounters(1)),
        timersRead: () => undefined,
        timersPut: () => 0,
        timersOut: () => 2.25,
        days: new DayTotals(time),
        started,
      }),
    );
    assert.is(figures.get('bootTimestamp'), String(time.now() - 7_000));
    assert.match(figures.get('runtime') ?? '', / 7 seconds/);
    assert.equal([figures.get('timerCongestNum'), figures.get('timerDequeueTps')], ['0', '2.3']);
  }
});

test('subscriptions that come without a version are taken although the clock was set back', () => {
  for (const step of STEPS) {
    const time = new FakeTime();
    const table = new ClientTable(testSettings(), time, silentLog, time);
    const connection = new FakeConnection('a');
    const beat = (subString: string) => {
      const subscription = subscriptionFromJson({ topic: 't', subString }, table.nextVersion());
      table.consumers.register({
        client: client(connection),
        consumer: { ...consumer, subscriptions: subscription === undefined ? [] : [subscription] },
        notify: true,
        fingerprint: 0,
        withoutSubscriptions: false,
      });
    };
    beat('a');
    time.jump(step);
    beat('b');
    assert.is(table.consumers.findSubscription('g', 't')?.subString, 'b', String(step));
  }
});

test.run();
