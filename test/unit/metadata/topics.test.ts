import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { BrokerSettings } from '../../../src/metadata/settings.ts';
import { describeTopicConfig, newTopicConfig } from '../../../src/metadata/topic-config.ts';
import { TopicTable } from '../../../src/metadata/topics.ts';
import { FakeTime, temporaryDirectory, testSettings } from './support.ts';

const test = suite('topics');

function newTable(directory = temporaryDirectory(), changes: Partial<BrokerSettings> = {}) {
  const table = new TopicTable(directory, testSettings(changes), new FakeTime());
  table.load();
  return { table, directory };
}

test('has the system topics of RocketMQ', () => {
  const { table } = newTable();
  const shape = (name: string) => [table.get(name)?.writeQueueNums, table.get(name)?.perm];
  assert.equal(shape('TBW102'), [8, 7]);
  assert.equal(shape('SELF_TEST_TOPIC'), [1, 6]);
  assert.equal(shape('BenchmarkTest'), [1024, 6]);
  assert.equal(shape('cluster-a'), [16, 7]);
  assert.equal(shape('broker-a'), [1, 7]);
  assert.equal(shape('SCHEDULE_TOPIC_XXXX'), [18, 6]);
  assert.equal(shape('cluster-a_REPLY_TOPIC'), [1, 6]);
  assert.equal(shape('rmq_sys_REVIVE_LOG_cluster-a'), [8, 6]);
  assert.equal(shape('rmq_sys_SYNC_BROKER_MEMBER_broker-a'), [1, 1]);
  assert.equal(shape('RMQ_SYS_TRACE_TOPIC'), [undefined, undefined]);
  assert.ok(table.isSystemTopic('RMQ_SYS_TRACE_TOPIC'));
  assert.ok(table.isSystemTopic('rmq_sys_anything'));
  assert.not.ok(table.isSystemTopic('%RETRY%g'));
});

test('creates topics from the default topic, announces and stores them', async () => {
  const { table, directory } = newTable();
  const announced: string[] = [];
  table.changed.add((config) => announced.push(config.topicName));
  const before = table.version.counter;
  const created = table.createForSend({ topic: 't', defaultTopic: 'TBW102', queueNums: 4 });
  assert.equal([created?.readQueueNums, created?.perm], [4, 6]);
  assert.is(table.createForSend({ topic: 't', defaultTopic: 'TBW102', queueNums: 2 }), created);
  assert.equal(announced, ['t']);
  assert.is(table.version.counter, before + 1);
  await table.saved();
  assert.equal(newTable(directory).table.get('t'), created);
});

test('creates nothing without a parent that passes on its permissions', () => {
  const { table } = newTable();
  assert.is(table.createForSend({ topic: 't', defaultTopic: 'nobody', queueNums: 4 }), undefined);
  assert.is(table.createForSend({ topic: 't', defaultTopic: 'SELF_TEST_TOPIC', queueNums: 4 }), undefined);
});

test('a left-over TBW102 loses its right to pass on when auto-creation is off', async () => {
  const { table, directory } = newTable();
  table.createIfAbsent(newTopicConfig('any'));
  await table.saved();
  const later = newTable(directory, { autoCreateTopicEnable: false }).table;
  assert.is(later.createForSend({ topic: 't', defaultTopic: 'TBW102', queueNums: 4 }), undefined);
  assert.is(later.get('TBW102')?.perm, 6);
});

test('writes what a Java broker writes and reads its bare keys', async () => {
  const { table, directory } = newTable();
  table.createIfAbsent({ ...newTopicConfig('t', 2), attributes: new Map([['message.type', 'FIFO']]) });
  await table.saved();
  const text = readFileSync(join(directory, 'topics.json'), 'utf8');
  assert.match(text, /^\{\n\t"dataVersion":\{\n\t\t"counter":1,/);
  assert.match(text, /"t":\{\n\t\t\t"attributes":\{\n\t\t\t\t"message.type":"FIFO"\n/);
  writeFileSync(
    join(directory, 'topics.json'),
    '{dataVersion:{counter:7,stateVersion:0,timestamp:5},topicConfigTable:{"x":{topicName:"x",perm:4}}}',
  );
  const reloaded = newTable(directory).table;
  assert.equal(reloaded.version, { counter: 7, stateVersion: 0, timestamp: 5 });
  assert.equal(reloaded.get('x'), { ...newTopicConfig('x'), perm: 4 });
});

test('attributes: signs, rules and the words of their refusal', () => {
  const { table } = newTable();
  const update = (...attributes: [string, string][]) =>
    table.update({ ...newTopicConfig('t'), attributes: new Map(attributes) });
  const refuses = (pattern: RegExp, ...attributes: [string, string][]) =>
    assert.throws(() => update(...attributes), pattern);
  refuses(/^only add attribute is supported while creating topic. key: message.type$/, ['-message.type', '']);
  refuses(/^unsupported key: colour$/, ['+colour', 'red']);
  refuses(/^value is not in set/, ['+message.type', 'SLOW']);
  assert.not.ok(table.has('t'));
  update(['+message.type', 'FIFO'], ['+queue.type', 'SimpleCQ']);
  update();
  assert.is(table.get('t')?.attributes.get('message.type'), 'FIFO');
  refuses(/^attempt to update an unchangeable attribute. key: queue.type$/, ['+queue.type', 'BatchCQ']);
  refuses(/^attempt to delete a nonexistent key: reserve.time$/, ['-reserve.time', '']);
  refuses(/^wrong format key: essage.type$/, ['message.type', 'FIFO']);
  update(['-message.type', '']);
  assert.equal([...(table.get('t')?.attributes.keys() ?? [])], ['queue.type']);
});

test('internal topics follow the order flag', () => {
  const { table } = newTable();
  assert.not.ok(table.createInternal('%RETRY%g', 1).order);
  assert.ok(table.createInternal('%RETRY%g', 5, undefined, true).order);
  assert.is(table.get('%RETRY%g')?.writeQueueNums, 1);
  table.markOrdered(['broker-a', 'nobody']);
  assert.ok(table.isOrderTopic('broker-a'));
});

test('deletes and announces', () => {
  const { table } = newTable();
  const gone: string[] = [];
  table.deleted.add((name) => gone.push(name));
  table.createIfAbsent(newTopicConfig('t'));
  assert.ok(table.delete('t'));
  assert.not.ok(table.delete('t'));
  assert.equal(gone, ['t']);
});

test('pages by name, from the start again when the version moved', () => {
  const { table } = newTable();
  const names = (first: number, version: string | undefined) =>
    table.page(first, 2, version).map((config) => config.topicName);
  const sorted = [...table.all()].map((config) => config.topicName).sort();
  const version = JSON.stringify(table.version);
  assert.equal(names(0, undefined), sorted.slice(0, 2));
  assert.equal(names(2, version), sorted.slice(2, 4));
  table.touch();
  assert.equal(names(2, version), sorted.slice(0, 2));
  assert.equal(names(2, undefined), sorted.slice(0, 2));
});

test('describes a topic as Java prints it', () => {
  assert.is(
    describeTopicConfig(newTopicConfig('t', 4)),
    'TopicConfig [topicName=t, readQueueNums=4, writeQueueNums=4, perm=RW-, topicFilterType=SINGLE_TAG, ' +
      'topicSysFlag=0, order=false, attributes={}]',
  );
});

test.run();
