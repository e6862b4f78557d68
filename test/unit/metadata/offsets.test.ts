import { readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { DelayOffsets } from '../../../src/metadata/delay-offsets.ts';
import { OffsetTable, type QueueReset } from '../../../src/metadata/offsets.ts';
import { writeRocketJson } from '../../../src/protocol/rocketmq-json.ts';
import { FakeTime, temporaryDirectory, testSettings } from './support.ts';

const test = suite('offsets');

function newTable(directory = temporaryDirectory()) {
  const table = new OffsetTable(directory, testSettings(), new FakeTime());
  table.load();
  return { table, directory };
}

test('stores what is committed, lower values too', () => {
  const { table } = newTable();
  assert.is(table.query('g', 't', 0), -1);
  table.commit('g', 't', 0, 10);
  table.commit('g', 't', 0, 4);
  assert.is(table.query('g', 't', 0), 4);
  assert.is(table.queryPull('g', 't', 0), 4);
  table.commitPull('g', 't', 0, 9);
  assert.is(table.queryPull('g', 't', 0), 9);
});

test('persists on demand and reads the file of a Java broker', async () => {
  const { table, directory } = newTable();
  table.commit('g', 't', 0, 123);
  table.commit('g', '%RETRY%g', 0, 1);
  table.commitPull('g', 't', 0, 130);
  table.persist();
  await table.saved();
  const path = join(directory, 'consumerOffset.json');
  assert.match(readFileSync(path, 'utf8'), /"t@g":\{\n\t+0:123\n/);
  assert.match(readFileSync(path, 'utf8'), /"groupTopicMap":\{\n\t+"g":\[\n\t+"t",\n\t+"%RETRY%g"\n/);
  assert.is(newTable(directory).table.query('g', 't', 0), 123);
  assert.is(newTable(directory).table.queryPull('g', 't', 0), 123);
  writeFileSync(path, '{"dataVersion":{"counter":2},"offsetTable":{"t@g":{0:5,1:6,"2":7}}}');
  const reloaded = newTable(directory).table;
  assert.equal(
    [...(reloaded.queuesOf('g', 't') ?? [])],
    [
      [0, 5],
      [1, 6],
      [2, 7],
    ],
  );
});

test('a broker with light queues keeps offsets in another file: the newer one counts, and both are written', async () => {
  const directory = temporaryDirectory();
  const [own, light] = ['consumerOffset.json', 'lmqConsumerOffset.json'].map((name) => join(directory, name));
  const write = (path: string, offset: number, seconds: number) => {
    writeFileSync(path, `{"lmqOffsetTable":{},"offsetTable":{"t@g":{0:${offset}}}}`);
    utimesSync(path, seconds, seconds);
  };
  write(own as string, 1, 1_000);
  write(light as string, 2, 1_001);
  assert.is(newTable(directory).table.query('g', 't', 0), 2);
  write(own as string, 3, 1_002);
  const { table } = newTable(directory);
  assert.is(table.query('g', 't', 0), 3);
  table.commit('g', 't', 0, 4);
  table.persist();
  await table.saved();
  for (const path of [own, light]) assert.match(readFileSync(path as string, 'utf8'), /0:4/);
});

test('a save is asked for only after changes', async () => {
  const { table, directory } = newTable();
  table.persist();
  await table.saved();
  assert.throws(() => readFileSync(join(directory, 'consumerOffset.json')));
});

test('the version grows once per 500 commits', () => {
  const { table } = newTable();
  for (let i = 0; i < 499; i++) table.commit('g', 't', 0, i);
  assert.is(table.toJson().dataVersion.counter, 0);
  table.commit('g', 't', 0, 500);
  assert.is(table.toJson().dataVersion.counter, 1);
});

test('a reset waits for the next pull', () => {
  const { table } = newTable();
  const events: QueueReset[] = [];
  table.resetChanged.add((event) => events.push(event));
  table.assignReset('g', 't', 1, 50);
  table.commit('g', 't', 1, 99);
  assert.ok(table.hasReset('g', 't', 1));
  assert.is(table.query('g', 't', 1), 50);
  assert.is(table.takeReset('g', 't', 1), 50);
  assert.is(table.takeReset('g', 't', 1), undefined);
  assert.is(table.query('g', 't', 1), 99);
  assert.equal(
    events.map((event) => event.offset),
    [50, undefined],
  );
});

test('knows who reads what, clones and forgets', () => {
  const { table } = newTable();
  table.commit('g1', 't', 0, 1);
  table.commit('g2', 't', 0, 2);
  table.commit('g1', 'u', 0, 3);
  assert.equal(table.groupsOf('t'), ['g1', 'g2']);
  assert.equal(table.topicsOf('g1'), ['t', 'u']);
  table.clone('g1', 'g3', 't');
  table.commit('g1', 't', 0, 100);
  assert.is(table.query('g3', 't', 0), 1);
  table.commitPull('g4', 't', 0, 7);
  table.assignReset('g2', 't', 0, 0);
  table.removeTopic('t');
  assert.equal(table.groupsOf('t'), []);
  assert.is(table.queryPull('g4', 't', 0), -1);
  assert.not.ok(table.hasReset('g2', 't', 0));
  table.removeGroup('g1');
  assert.equal(table.topicsOf('g1'), []);
});

test('delay offsets survive, keys bare', async () => {
  const directory = temporaryDirectory();
  const offsets = new DelayOffsets(directory, testSettings(), new FakeTime());
  offsets.load();
  assert.is(offsets.get(3), 0);
  offsets.set(3, 55);
  offsets.persist();
  await offsets.saved();
  assert.match(writeRocketJson(offsets.toJson()), /"offsetTable":\{3:55\}/);
  const reloaded = new DelayOffsets(directory, testSettings(), new FakeTime());
  reloaded.load();
  assert.equal([...reloaded.entries()], [[3, 55]]);
});

test.run();
