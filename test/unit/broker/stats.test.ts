import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { startMaintenance } from '../../../src/broker/maintenance.ts';
import { BrokerStats } from '../../../src/broker/stats/broker-stats.ts';
import { BROKER_TIMER_OUT_NUMS, StatsTable } from '../../../src/broker/stats/stats.ts';
import { makeTables } from '../../../src/broker/tables.ts';
import { ClientTable } from '../../../src/clients/clients.ts';
import { QueueLocks } from '../../../src/clients/queue-locks.ts';
import { ConsumerFilters } from '../../../src/metadata/consumer-filters.ts';
import { DelayOffsets } from '../../../src/metadata/delay-offsets.ts';
import { DelayTimes } from '../../../src/metadata/delay-times.ts';
import { OffsetTable } from '../../../src/metadata/offsets.ts';
import { OrderInfos } from '../../../src/metadata/order-infos.ts';
import { CounterSums, createCounters } from '../../../src/ring/counters.ts';
import type { Positions } from '../../../src/ring/positions.ts';
import { FakeTime, silentLog, temporaryDirectory, testSettings } from '../metadata/support.ts';

const test = suite('stats');

test('rates over the last minute, hour and day', async () => {
  const time = new FakeTime();
  const stats = new StatsTable(time);
  assert.is(stats.get('TOPIC_PUT_NUMS', 't'), undefined);
  for (let i = 0; i < 12; i++) {
    stats.add('TOPIC_PUT_NUMS', 't', 50, 10);
    await time.advance(10_000);
    stats.sample();
  }
  const snapshot = stats.get('TOPIC_PUT_NUMS', 't');
  assert.equal(snapshot?.minute, { sum: 300, tps: 5, avgpt: 5 });
  assert.equal(snapshot?.day, { sum: 0, tps: 0, avgpt: 0 });
  assert.equal(stats.rates('TOPIC_PUT_NUMS', 't'), [5, 5, 0]);
  assert.is(stats.total('TOPIC_PUT_NUMS', 't'), 600);
  await time.advance(600_000);
  stats.sample();
  assert.is(stats.get('TOPIC_PUT_NUMS', 't')?.hour.sum, 600);
});

test('counters go with their topic or group', () => {
  const stats = new StatsTable(new FakeTime());
  stats.add('GROUP_GET_NUMS', 't@g', 1);
  stats.add('QUEUE_PUT_NUMS', '0@t', 1);
  stats.add('GROUP_GET_NUMS', 'other@g', 1);
  stats.removeTopic('t');
  assert.is(stats.get('GROUP_GET_NUMS', 't@g'), undefined);
  assert.is(stats.get('QUEUE_PUT_NUMS', '0@t'), undefined);
  stats.removeGroup('g');
  assert.is(stats.get('GROUP_GET_NUMS', 'other@g'), undefined);
});

test('timed messages that come out are told a second', async () => {
  const [time, settings] = [new FakeTime(), testSettings()];
  const tables = makeTables(temporaryDirectory(), settings, time, silentLog, time);
  const counters = new CounterSums(createCounters(1));
  const out = { messages: 0 };
  counters.sum = (name) => (name === 'timersOut' ? out.messages : 0);
  const positions = { get: () => 0 } as unknown as Positions;
  const stats = new BrokerStats(tables, positions, counters, time, {
    arrived: () => ({ messages: 0, bytes: 0 }),
  });
  for (let i = 0; i < 3; i++) {
    out.messages += 50;
    stats.sample();
    await time.advance(10_000);
    tables.stats.sample();
  }
  assert.is(tables.stats.tps(BROKER_TIMER_OUT_NUMS, settings.brokerClusterName), 5);
});

test('messages count from the start on, in topics that were there and in those that are made', () => {
  const [time, settings] = [new FakeTime(), testSettings()];
  const tables = makeTables(temporaryDirectory(), settings, time, silentLog, time);
  tables.topics.createInternal('old', 2);
  const ends = new Map([
    ['old/1', 70],
    ['old/0', 30],
  ]);
  const [counters, positions] = [{ sum: () => 0 }, { get: () => 0 }];
  const stats = new BrokerStats(
    tables,
    positions as unknown as Positions,
    counters as unknown as CounterSums,
    time,
    {
      arrived: (topic, queueId) => {
        const messages = ends.get(`${topic}/${queueId}`) ?? 0;
        return { messages, bytes: messages * 100 };
      },
    },
  );
  stats.begin();
  ends.set('old/0', 35);
  tables.topics.createInternal('new', 1);
  ends.set('new/0', 7);
  const counted = () => ['old', 'new'].map((topic) => tables.stats.total('TOPIC_PUT_NUMS', topic));
  stats.sample();
  assert.equal(counted(), [5, 7]);
  ends.set('new/0', 9);
  stats.sample();
  assert.equal(counted(), [5, 9]);
  assert.is(tables.stats.total('TOPIC_PUT_SIZE', 'new'), 900);
});

test('periodic work runs until it is stopped', async () => {
  const time = new FakeTime();
  const settings = testSettings();
  const directory = temporaryDirectory();
  const offsets = new OffsetTable(directory, settings, time);
  const stats = new StatsTable(time);
  const stop = startMaintenance(
    {
      settings,
      log: silentLog,
      clients: new ClientTable(settings, time, silentLog, time),
      offsets,
      delayOffsets: new DelayOffsets(directory, settings, time),
      delayTimes: new DelayTimes(directory, 'a boot', silentLog),
      orders: new OrderInfos(directory),
      filters: new ConsumerFilters(directory, time),
      locks: new QueueLocks(time),
      stats,
    },
    time,
  );
  offsets.commit('g', 't', 0, 5);
  stats.add('TOPIC_PUT_NUMS', 't', 10);
  await time.advance(60_000);
  await offsets.saved();
  const reloaded = new OffsetTable(directory, settings, time);
  reloaded.load();
  assert.is(reloaded.query('g', 't', 0), 5);
  assert.ok(stats.tps('TOPIC_PUT_NUMS', 't') > 0);
  stop();
  assert.is(time.waiting, 0);
});

test.run();
