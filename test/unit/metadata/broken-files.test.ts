/** Configuration files that hold what cannot be meant: refused with a sentence, or left out and counted. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { DelayOffsets } from '../../../src/metadata/delay-offsets.ts';
import { GroupTable } from '../../../src/metadata/groups.ts';
import { OffsetTable } from '../../../src/metadata/offsets.ts';
import { StateFileError } from '../../../src/metadata/state-file.ts';
import { TopicTable } from '../../../src/metadata/topics.ts';
import { KvConfig } from '../../../src/namesrv/kv-config.ts';
import { FakeTime, temporaryDirectory, testSettings } from './support.ts';

const test = suite('broken files');

const LOADERS = {
  'topics.json': (directory: string, warn: (message: string) => void) => {
    const table = new TopicTable(directory, testSettings(), new FakeTime());
    table.load(warn);
    return table;
  },
  'subscriptionGroup.json': (directory: string, warn: (message: string) => void) => {
    const table = new GroupTable(directory, testSettings(), new FakeTime());
    table.load(warn);
    return table;
  },
  'consumerOffset.json': (directory: string, warn: (message: string) => void) => {
    const table = new OffsetTable(directory, testSettings(), new FakeTime());
    table.load(warn);
    return table;
  },
  'delayOffset.json': (directory: string, warn: (message: string) => void) => {
    const table = new DelayOffsets(directory, testSettings(), new FakeTime());
    table.load(warn);
    return table;
  },
  'kvConfig.json': (directory: string, warn: (message: string) => void) =>
    new KvConfig(join(directory, 'kvConfig.json'), warn),
};

type Name = keyof typeof LOADERS;

/** Loads a table whose file holds `text`; with the warnings that came. */
function load<N extends Name>(name: N, text: string) {
  const directory = temporaryDirectory();
  mkdirSync(directory, { recursive: true });
  const path = join(directory, name);
  writeFileSync(path, text);
  const warnings: string[] = [];
  const table = LOADERS[name](directory, (message) => warnings.push(message)) as ReturnType<
    (typeof LOADERS)[N]
  >;
  return { table, warnings, path };
}

/** The start is refused with one sentence that names the file, and the file stays as it is. */
function refuses(name: Name, text: string, sentence: RegExp): void {
  const directory = temporaryDirectory();
  const path = join(directory, name);
  writeFileSync(path, text);
  assert.throws(
    () => LOADERS[name](directory, () => {}),
    (error: unknown) => {
      assert.instance(error, StateFileError);
      const { message } = error as Error;
      assert.ok(message.startsWith(path), message);
      assert.ok(message.length < 700, message);
      assert.match(message, sentence);
      return true;
    },
  );
  assert.is(readFileSync(path, 'utf8'), text);
}

const topic = (changes: object) =>
  JSON.stringify({
    topicConfigTable: { good: { topicName: 'good' }, bad: { topicName: 'bad', ...changes } },
  });

test('topics: impossible values', () => {
  const allowed = 'whole numbers from 0 to 4096 \\(limit MAX_QUEUES_PER_TOPIC\\) are allowed';
  const remedy = '\\. Correct it, or remove the entry, and start again\\.$';
  const says = (problem: string) => new RegExp(`: bad has an impossible value: ${problem}${remedy}`);
  refuses('topics.json', topic({ writeQueueNums: 'many' }), says(`writeQueueNums is many; ${allowed}`));
  refuses(
    'topics.json',
    topic({ readQueueNums: 2_000_000_000 }),
    says(`readQueueNums is 2000000000; ${allowed}`),
  );
  refuses('topics.json', topic({ readQueueNums: -1 }), says(`readQueueNums is -1; ${allowed}`));
  refuses('topics.json', topic({ readQueueNums: 1.5 }), says(`readQueueNums is 1.5; ${allowed}`));
  refuses('topics.json', topic({ readQueueNums: {} }), says(`readQueueNums is no number; ${allowed}`));
  refuses('topics.json', topic({ perm: 'rw' }), says('perm is rw; whole numbers from 0 to 7 are allowed'));
  for (const topicName of ['', '..', '.', 'a/b', '../../x', 'a\0b', 'x'.repeat(256)]) {
    refuses('topics.json', topic({ topicName }), /: bad has a topicName that no topic can have\. Correct it/);
  }
  refuses(
    'topics.json',
    topic({ topicName: null }),
    /: bad is no topic configuration with a topicName\. Correct it/,
  );
  refuses('topics.json', '{"topicConfigTable":{"bad":7}}', /: bad is no topic configuration/);
  for (const table of ['[]', '7', '"x"']) {
    refuses(
      'topics.json',
      `{"topicConfigTable":${table}}`,
      /: topicConfigTable is no table of entries by name\./,
    );
  }
  const { table, warnings } = load('topics.json', topic({ readQueueNums: '3', perm: 0 }));
  assert.equal([table.get('bad')?.readQueueNums, table.get('good')?.writeQueueNums, warnings], [3, 16, []]);
});

test('groups: impossible values', () => {
  const group = (changes: object) =>
    JSON.stringify({ subscriptionGroupTable: { bad: { groupName: 'bad', ...changes } } });
  refuses(
    'subscriptionGroup.json',
    group({ retryQueueNums: 1e9 }),
    /: bad has an impossible value: retryQueueNums is 1000000000; whole/,
  );
  refuses(
    'subscriptionGroup.json',
    group({ groupRetryPolicy: { type: 'CUSTOMIZED', customizedRetryPolicy: { next: [1, -2] } } }),
    /: bad has an impossible value: groupRetryPolicy\.customizedRetryPolicy\.next\[1\] is -2; whole numbers from/,
  );
  refuses(
    'subscriptionGroup.json',
    group({ retryMaxTimes: 'x' }),
    /retryMaxTimes is x; whole numbers from -2147483648 to 2147483647/,
  );
  refuses(
    'subscriptionGroup.json',
    '{"subscriptionGroupTable":{"bad":"x"}}',
    /: bad is no group configuration/,
  );
  refuses(
    'subscriptionGroup.json',
    '{"subscriptionGroupTable":{"a\\u0000b":{}}}',
    /is a name that no group can have/,
  );
  refuses('subscriptionGroup.json', '{"subscriptionGroupTable":3}', /: subscriptionGroupTable is no table/);
  const { table, warnings, path } = load(
    'subscriptionGroup.json',
    '{"forbiddenTable":{"g":{"t":4,"u":"x","v":[]}},"subscriptionGroupTable":{"g":{}}}',
  );
  assert.not.ok(table.mayRead('g', 't'));
  assert.equal(warnings, [`${path}: 2 entries of forbiddenTable are no numbers and were left out`]);
});

test('offsets: what is none is left out and counted', () => {
  const text = `{"offsetTable":{"t@g":{0:5,1:"7","x":1,2:-1,3:1.5,4:1e300,5:${'9'.repeat(40)},-1:3,9999999999:1},"nothing":{0:1},"a@b@c":{0:1},"@g":{},"u@g":3}}`;
  const { table, warnings, path } = load('consumerOffset.json', text);
  assert.equal(
    [...(table.queuesOf('g', 't') ?? [])],
    [
      [0, 5],
      [1, 7],
    ],
  );
  assert.equal(table.topicsOf('g'), ['t']);
  assert.equal(warnings, [`${path}: 11 entries are no consumer offsets and were left out`]);
  assert.equal(load('consumerOffset.json', '{"offsetTable":{"t@g":{0:5}}}').warnings, []);
  refuses('consumerOffset.json', '{"offsetTable":[]}', /: offsetTable is no table/);
});

test('delay offsets: what is none is left out and counted', () => {
  const { table, warnings, path } = load(
    'delayOffset.json',
    '{"offsetTable":{1:5,"2":"6",0:1,"x":1,3:"y",4:-2}}',
  );
  assert.equal(
    [...table.entries()],
    [
      [1, 5],
      [2, 6],
    ],
  );
  assert.equal(warnings, [`${path}: 4 entries are no offsets of delay levels and were left out`]);
  refuses('delayOffset.json', '{"offsetTable":1}', /: offsetTable is no table/);
});

test('key-value entries: what is no text is left out and counted', () => {
  const { table, warnings, path } = load(
    'kvConfig.json',
    '{"configTable":{"n":{"a":"x","b":{},"c":[],"d":5}}}',
  );
  assert.equal(table.list('n'), { a: 'x', d: '5' });
  assert.equal(warnings, [`${path}: 2 entries are no texts and were left out`]);
  refuses('kvConfig.json', '{"configTable":[]}', /: configTable is no table/);
});

test('every table warns of a backup that takes the place of a broken file', () => {
  for (const name of Object.keys(LOADERS) as Name[]) {
    const directory = temporaryDirectory();
    const path = join(directory, name);
    writeFileSync(path, '{"a":');
    writeFileSync(`${path}.bak`, '{}');
    const warnings: string[] = [];
    LOADERS[name](directory, (message) => warnings.push(message));
    assert.is(warnings.length, 1, name);
    assert.ok(warnings[0]?.includes(`kept as ${path}.corrupt`), warnings[0]);
  }
});

test.run();
