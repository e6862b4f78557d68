/** What is committed at a slave while its master is gone is told to the master, once, and nothing else is. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { OffsetExchange } from '../../../src/broker/follow/offset-exchange.ts';
import { OffsetTable } from '../../../src/metadata/offsets.ts';
import { parseRocketJson } from '../../../src/protocol/rocketmq-json.ts';
import { FakeTime, testSettings } from '../metadata/support.ts';

interface Context {
  directory: string;
  offsets: OffsetTable;
  exchange: OffsetExchange;
}

const test = suite<Context>('offsets between slave and master');

test.before.each((context) => {
  context.directory = mkdtempSync(join(tmpdir(), 'ringmq-test-'));
  context.offsets = new OffsetTable(context.directory, testSettings(), new FakeTime());
  context.exchange = new OffsetExchange(context.offsets);
});

test.after.each(({ directory }) => rmSync(directory, { recursive: true }));

const table = (text: string) => parseRocketJson(text);

test('the table of the master is taken over, also where it has gone back', ({ offsets, exchange }) => {
  assert.equal(exchange.take(table('{"T@G":{0:5,1:7}}')), []);
  assert.equal([offsets.query('G', 'T', 0), offsets.query('G', 'T', 1)], [5, 7]);
  assert.equal(exchange.take(table('{"T@G":{0:3,1:9}}')), []);
  assert.equal([offsets.query('G', 'T', 0), offsets.query('G', 'T', 1)], [3, 9]);
});

test('what is committed here is told until the master has it, and kept meanwhile', ({
  offsets,
  exchange,
}) => {
  exchange.take(table('{"T@G":{0:5}}'));
  offsets.commit('G', 'T', 0, 8);
  offsets.commit('new', 'T', 1, 2);
  const wanted = [
    { group: 'G', topic: 'T', queueId: 0, offset: 8 },
    { group: 'new', topic: 'T', queueId: 1, offset: 2 },
  ];
  for (let round = 0; round < 2; round++) {
    assert.equal(exchange.take(table('{"T@G":{0:5}}')), wanted);
    assert.is(offsets.query('G', 'T', 0), 8);
  }
  for (const commit of wanted) exchange.told(commit);
  assert.equal(exchange.take(table('{"T@G":{0:8},"T@new":{1:2}}')), []);
  // An operator's reset, from then on.
  assert.equal(exchange.take(table('{"T@G":{0:1},"T@new":{1:2}}')), []);
  assert.is(offsets.query('G', 'T', 0), 1);
});

test('what the master has passed is not told', ({ offsets, exchange }) => {
  offsets.commit('G', 'T', 0, 8);
  assert.equal(exchange.take(table('{"T@G":{0:20}}')), []);
  assert.is(offsets.query('G', 'T', 0), 20);
  assert.equal(exchange.take(table('{"T@G":{0:4}}')), []);
  assert.is(offsets.query('G', 'T', 0), 4);
});

test('a commit that comes while the one before is told is told next', ({ offsets, exchange }) => {
  offsets.commit('G', 'T', 0, 8);
  const [first] = exchange.take(table('{}'));
  offsets.commit('G', 'T', 0, 9);
  if (first !== undefined) exchange.told(first);
  assert.equal(exchange.take(table('{"T@G":{0:8}}')), [{ group: 'G', topic: 'T', queueId: 0, offset: 9 }]);
});

test('names and numbers that are none are passed over', ({ offsets, exchange }) => {
  assert.equal(exchange.take(table('{"T":{0:5},"T@G":{"x":5,"-1":2,"1":-3,"2":4},"@":{0:1}}')), []);
  assert.equal(
    [offsets.query('G', 'T', 0), offsets.query('G', 'T', 1), offsets.query('G', 'T', 2)],
    [-1, -1, 4],
  );
});

test.run();
