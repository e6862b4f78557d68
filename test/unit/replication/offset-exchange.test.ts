/** What is committed at a slave while its master is gone is told to the master, once, and nothing else is. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Commit, OffsetExchange } from '../../../src/broker/follow/offset-exchange.ts';
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

/** What the master is to be told after a round with this table. */
function round(exchange: OffsetExchange, text: string): Commit[] {
  exchange.passed([table(text)]);
  exchange.take(table(text));
  return exchange.own;
}

test('the table of the master is taken over, also where it has gone back', ({ offsets, exchange }) => {
  assert.equal(round(exchange, '{"T@G":{0:5,1:7}}'), []);
  assert.equal([offsets.query('G', 'T', 0), offsets.query('G', 'T', 1)], [5, 7]);
  assert.equal(round(exchange, '{"T@G":{0:3,1:9}}'), []);
  assert.equal([offsets.query('G', 'T', 0), offsets.query('G', 'T', 1)], [3, 9]);
});

test('what is committed here is told until the master has it, and kept meanwhile', ({
  offsets,
  exchange,
}) => {
  round(exchange, '{"T@G":{0:5}}');
  offsets.commit('G', 'T', 0, 8);
  offsets.commit('new', 'T', 1, 2);
  const wanted = [
    { group: 'G', topic: 'T', queueId: 0, offset: 8 },
    { group: 'new', topic: 'T', queueId: 1, offset: 2 },
  ];
  for (let i = 0; i < 2; i++) {
    assert.equal(round(exchange, '{"T@G":{0:5}}'), wanted);
    assert.is(offsets.query('G', 'T', 0), 8);
  }
  for (const commit of wanted) exchange.told(commit);
  assert.equal(round(exchange, '{"T@G":{0:8},"T@new":{1:2}}'), []);
  // An operator's reset, from then on.
  assert.equal(round(exchange, '{"T@G":{0:1},"T@new":{1:2}}'), []);
  assert.is(offsets.query('G', 'T', 0), 1);
});

test('what the master has passed is not told', ({ offsets, exchange }) => {
  offsets.commit('G', 'T', 0, 8);
  assert.equal(round(exchange, '{"T@G":{0:20}}'), []);
  assert.is(offsets.query('G', 'T', 0), 20);
  assert.equal(round(exchange, '{"T@G":{0:4}}'), []);
  assert.is(offsets.query('G', 'T', 0), 4);
});

test('a commit that comes while the one before is told is told next', ({ offsets, exchange }) => {
  offsets.commit('G', 'T', 0, 8);
  const [first] = round(exchange, '{}');
  offsets.commit('G', 'T', 0, 9);
  if (first !== undefined) exchange.told(first);
  assert.equal(round(exchange, '{"T@G":{0:8}}'), [{ group: 'G', topic: 'T', queueId: 0, offset: 9 }]);
});

test('names and numbers that are none are passed over', ({ offsets, exchange }) => {
  assert.equal(round(exchange, '{"T":{0:5},"T@G":{"x":5,"-1":2,"1":-3,"2":4},"@":{0:1}}'), []);
  assert.equal(
    [offsets.query('G', 'T', 0), offsets.query('G', 'T', 1), offsets.query('G', 'T', 2)],
    [-1, -1, 4],
  );
});

test('of a queue of which nothing is known here the offset holds as far as the queue goes, and no other', ({
  offsets,
  exchange,
}) => {
  offsets.commit('G', 'T', 0, 3);
  exchange.begin(table('{"T@G":{0:50,1:50,2:4},"U@G":{0:1}}'), (topic) => (topic === 'T' ? 10 : 0));
  const of = (topic: string, queueId: number) => offsets.query('G', topic, queueId);
  assert.equal([of('T', 0), of('T', 1), of('T', 2), of('U', 0)], [3, 10, 4, 0]);
  assert.equal(exchange.own, [{ group: 'G', topic: 'T', queueId: 0, offset: 3 }], 'nothing of it is told');
});

test('what the master refuses gives way to what it has not heard of; what has gone is not told', ({
  offsets,
  exchange,
}) => {
  for (const group of ['a', 'b', 'c']) offsets.commit(group, 'T', 0, 1);
  const groups = () => exchange.own.map(({ group }) => group).join();
  exchange.refused(exchange.own[0] as Commit);
  assert.is(groups(), 'b,c,a');
  offsets.removeGroup('c');
  assert.is(groups(), 'b,a');
  exchange.refused({ group: 'x', topic: 'T', queueId: 0, offset: 1 });
  assert.is(groups(), 'b,a');
});

test('numbers that no queue has are not taken over', ({ offsets, exchange }) => {
  round(exchange, '{"T@G":{2147483647:5,2147483648:6}}');
  assert.equal([...(offsets.queuesOf('G', 'T') ?? [])], [[2147483647, 5]]);
});

test.run();
