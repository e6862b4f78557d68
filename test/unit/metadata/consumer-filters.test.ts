/** The SQL filters that groups have told of: what is kept, for how long, and RocketMQ's fields in the file. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ConsumerFilters } from '../../../src/metadata/consumer-filters.ts';
import { filterBits } from '../../../src/metadata/filter-bits.ts';
import { FakeTime, temporaryDirectory } from './support.ts';

const test = suite('filters of consumer groups');
const DAY_MS = 24 * 3_600_000;

const sql = (topic: string, subString: string, subVersion = 1n) => ({
  topic,
  subString,
  subVersion,
  expressionType: 'SQL92',
});

function table(directory = temporaryDirectory(), time = new FakeTime()) {
  const filters = new ConsumerFilters(directory, time);
  const save = async () => {
    filters.persist();
    await filters.saved();
    return JSON.parse(readFileSync(join(directory, 'consumerFilter.json'), 'utf8'));
  };
  return { directory, time, filters, save };
}

test("the bits are those of RocketMQ's Bloom filter", () => {
  // Asked of org.apache.rocketmq.filter.util.BloomFilter 5.5.0, createByFn(20, 32).
  const known: readonly [group: string, topic: string, bits: number[]][] = [
    ['g', 't', [22, 87, 58]],
    ['group', 'topic-1', [3, 108, 10]],
    ['sql-group', 'SqlTopic', [28, 71, 29]],
    ['a-much-longer-consumer-group-name', 'a-topic-of-32-bytes-and-more-x', [72, 32, 6]],
    ['ü汉', 't', [77, 29, 7]],
  ];
  for (const [group, topic, bitPos] of known)
    assert.equal(filterBits(group, topic), { bitNum: 112, bitPos }, `${group}#${topic}`);
});

test('the file has the fields that RocketMQ writes', async () => {
  const { filters, save, time } = table();
  filters.note('g', [sql('t', 'a > 1', 7n)]);
  const bornTime = time.now();
  assert.equal(await save(), {
    filterDataByTopic: {
      t: {
        topic: 't',
        groupFilterData: {
          g: {
            bloomFilterData: { bitNum: 112, bitPos: [22, 87, 58] },
            bornTime,
            clientVersion: 7,
            consumerGroup: 'g',
            dead: false,
            deadTime: 0,
            expression: 'a > 1',
            expressionType: 'SQL92',
            topic: 't',
          },
        },
      },
    },
  });
});

test('what is told again lives on, what is told no more is dead, and gone after a day', async () => {
  const { filters, save, time, directory } = table();
  filters.note('g', [sql('t', 'a > 1'), sql('u', 'b = 2')]);
  const { bornTime } = filters.get('g', 't') ?? { bornTime: -1 };
  await time.advance(1_000);
  filters.note('g', [sql('t', 'a > 1', 2n)]);
  assert.equal([filters.get('g', 't')?.bornTime, filters.get('g', 't')?.clientVersion], [bornTime, 2n]);
  assert.is(filters.get('g', 'u')?.deadTime, time.now());
  await time.advance(1_000);
  filters.note('g', [sql('t', 'a > 2', 3n)]);
  assert.is(filters.get('g', 't')?.bornTime, time.now(), 'another filter is born anew');
  filters.note('g', []);
  assert.is(filters.get('g', 't')?.deadTime, time.now());
  filters.note('g', [sql('t', 'a > 2', 3n)]);
  assert.is(filters.get('g', 't')?.deadTime, 0);
  await save();

  const { filters: later } = table(directory, time);
  later.load();
  assert.is(later.get('g', 't')?.expression, 'a > 2');
  assert.is(later.get('g', 't')?.deadTime, time.now(), 'nobody is online after a start');
  await time.advance(DAY_MS);
  assert.equal(Object.keys((await save()).filterDataByTopic), ['t'], 'the living one');
  filters.note('g', []);
  await time.advance(DAY_MS);
  assert.equal(await save(), { filterDataByTopic: {} });
});

test('entries that are none are left out, with a warning', () => {
  const { directory, filters } = table();
  const text = JSON.stringify({
    filterDataByTopic: { t: { groupFilterData: { g: { topic: 't' }, h: 5 } }, u: null },
  });
  writeFileSync(join(directory, 'consumerFilter.json'), text);
  const said: string[] = [];
  filters.load((line) => said.push(line));
  assert.is(said.length, 1);
  assert.match(said[0] ?? '', /2 entries are no filters/);
});

test('the living are kept, and make room among the dead', () => {
  const { filters } = table();
  const long = 'x'.repeat(256 * 1024);
  for (let i = 0; i < 64; i++) filters.note(`dead${i}`, [sql('t', long)]);
  for (let i = 0; i < 64; i++) filters.note(`dead${i}`, []);
  filters.note('alive', [sql('t', long)]);
  assert.ok(filters.get('alive', 't'));
  assert.is(filters.get('dead0', 't'), undefined);
  for (let i = 0; i < 63; i++) filters.note(`g${i}`, [sql('t', long)]);
  filters.note('one-too-many', [sql('t', long)]);
  assert.is(filters.get('one-too-many', 't'), undefined);
  assert.ok(filters.get('alive', 't'));
});

test.run();
