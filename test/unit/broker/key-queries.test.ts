/** Queries by key: one at a time, in their order, while answers can be carried, and bounded. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { KeyQueries } from '../../../src/broker/query/key-queries.ts';
import { MAX_KEY_QUERIES, MAX_KEY_QUERIES_PER_CONNECTION } from '../../../src/lib/limits.ts';
import type { FoundRecords, KeyQuery } from '../../../src/store/read/key-query.ts';

const test = suite('key queries');

const asked = (key: string): KeyQuery => ({
  topic: 't',
  key,
  maxCount: 1,
  begin: 0,
  end: 1,
  indexType: 'K',
});
const found = (position: number): FoundRecords => ({
  records: new Uint8Array(0),
  indexLastUpdateTimestamp: 0,
  indexLastUpdatePhyoffset: position,
});
const turn = () => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

class Rig {
  readonly started: string[] = [];
  room = true;
  readonly #ends: ((outcome: FoundRecords | Error) => void)[] = [];
  readonly queries = new KeyQueries(
    ({ key }) => {
      this.started.push(key);
      return new Promise((resolve, reject) => {
        this.#ends.push((outcome) => (outcome instanceof Error ? reject(outcome) : resolve(outcome)));
      });
    },
    () => this.room,
  );

  /** Ends the query that is looked up. */
  async end(outcome: FoundRecords | Error): Promise<void> {
    this.#ends.shift()?.(outcome);
    await turn();
  }
}

test('one at a time, in their order; a failure belongs to its own query', async () => {
  const rig = new Rig();
  const [a, b, c] = ['a', 'b', 'c'].map((key) => rig.queries.find(asked(key), key));
  assert.equal(rig.started, ['a']);
  await rig.end(found(1));
  assert.equal(rig.started, ['a', 'b']);
  const failed = b?.then(
    () => 'found',
    (error: Error) => error.message,
  );
  await rig.end(new Error('a bad page'));
  assert.equal(rig.started, ['a', 'b', 'c']);
  await rig.end(found(3));
  assert.is((await a)?.indexLastUpdatePhyoffset, 1);
  assert.is(await failed, 'a bad page');
  assert.is((await c)?.indexLastUpdatePhyoffset, 3);
});

test('none starts while answers cannot be carried', async () => {
  const rig = new Rig();
  void rig.queries.find(asked('a'), 'x');
  void rig.queries.find(asked('b'), 'x');
  rig.room = false;
  await rig.end(found(1));
  rig.queries.serve();
  assert.equal(rig.started, ['a']);
  rig.room = true;
  rig.queries.serve();
  assert.equal(rig.started, ['a', 'b']);
});

test('a connection, and all together, may have so many; answered ones count no more', async () => {
  const rig = new Rig();
  const fill = (connection: string, count: number) => {
    for (let i = 0; i < count; i++) void rig.queries.find(asked('k'), connection);
  };
  // The one that is being looked up does not wait any more.
  fill('x', MAX_KEY_QUERIES_PER_CONNECTION + 1);
  assert.throws(() => fill('x', 1), /limit MAX_KEY_QUERIES_PER_CONNECTION/);
  await rig.end(found(1));
  fill('x', 1);
  assert.throws(() => fill('x', 1), /limit MAX_KEY_QUERIES_PER_CONNECTION/);
  for (let i = MAX_KEY_QUERIES_PER_CONNECTION; i < MAX_KEY_QUERIES; i++) fill(`y${i}`, 1);
  assert.throws(() => fill('z', 1), /limit MAX_KEY_QUERIES\)/);
  await rig.end(found(2));
  fill('z', 1);
});

test('connections have their turns; one that is gone is forgotten, and after the end there is none', async () => {
  const rig = new Rig();
  const outcomes: string[] = [];
  const ask = (key: string, connection: string) =>
    rig.queries.find(asked(key), connection).then(
      () => outcomes.push(`${key} found`),
      (error: Error) => outcomes.push(`${key}: ${error.message}`),
    );
  for (const key of ['x1', 'x2', 'x3', 'x4']) void ask(key, 'x');
  for (const key of ['y1', 'y2']) void ask(key, 'y');
  for (let i = 0; i < 3; i++) await rig.end(found(1));
  assert.equal(rig.started, ['x1', 'x2', 'y1', 'x3']);
  rig.queries.closed('x');
  rig.queries.closed('nobody');
  await rig.end(found(1));
  assert.equal(rig.started.at(-1), 'y2');
  void ask('z1', 'z');
  rig.queries.end();
  await rig.end(found(1));
  assert.throws(() => rig.queries.find(asked('w1'), 'w'), /stopping/);
  assert.is(rig.started.length, 5);
  const gone = ': the connection is closed';
  assert.equal(outcomes, [
    'x1 found',
    'x2 found',
    'y1 found',
    `x4${gone}`,
    'x3 found',
    `z1${gone}`,
    'y2 found',
  ]);
});

test.run();
