// `log dump` and `log check` know what the records of transactions mean, and what must be in them.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { dumpStore } from '../../../src/cli/log/dump.ts';
import {
  TRANS_CHECK_MAX_TIME_TOPIC as GIVEN_UP_TOPIC,
  HALF_TOPIC,
  OP_HALF_TOPIC,
} from '../../../src/lib/names.ts';
import { SYS_TRANSACTION_COMMIT } from '../../../src/record/layout.ts';
import { nativeDisk } from '../../../src/store/disk/native-disk.ts';
import { checked, makeStoreOf, removeStore, type TestMessage, type TestStore } from './store-support.ts';

const test = suite('log dump and log check of transactions');

function message(topic: string, body: string, properties: Record<string, string>, sysFlag = 0): TestMessage {
  const text = Object.entries(properties).map(([name, value]) => `${name}\x01${value}\x02`);
  return { topic, queueId: 0, body: Buffer.from(body), properties: text.join(''), sysFlag };
}

const HALF = { REAL_TOPIC: 'orders', REAL_QID: '3', PGROUP: 'shop', TRAN_MSG: 'true', UNIQ_KEY: 'U' };
const COPY = { ...HALF, TRANSACTION_CHECK_TIMES: '2', TRAN_PREPARED_QUEUE_OFFSET: '0' };
const op = (body: string, more = {}) => message(OP_HALF_TOPIC, body, { TAGS: 'd', ...more });

const SOUND = [
  message(HALF_TOPIC, 'a', HALF),
  message(HALF_TOPIC, 'b', HALF),
  message(HALF_TOPIC, 'a', COPY),
  op('0,1,'),
  op('2', { RINGMQ_GIVEN_UP: '0,' }),
  message('orders', 'b', { PGROUP: 'shop', TRAN_MSG: 'true' }, SYS_TRANSACTION_COMMIT),
  message(GIVEN_UP_TOPIC, 'a', COPY),
];

async function withStore(messages: readonly TestMessage[], check: (store: TestStore) => void): Promise<void> {
  const store = await makeStoreOf(messages);
  try {
    check(store);
  } finally {
    removeStore(store);
  }
}

test('what a half message, a copy, an end, a committed and a given-up message mean', () =>
  withStore(SOUND, (store) => {
    const records: Record<string, unknown>[] = [];
    const file = `commitlog/${'0'.repeat(20)}`;
    dumpStore(nativeDisk, store.root, { file, limit: 0, json: true }, (line) => {
      records.push(JSON.parse(line) as Record<string, unknown>);
    });
    const [first, , copy, ends, lastEnd, committed, givenUp] = records;
    const half = { 'meant for': 'orders, queue 3', 'producer group': 'shop' };
    const computed = (record: Record<string, unknown> | undefined): Record<string, unknown> => {
      const names = [
        'meant for',
        'producer group',
        'checks',
        'copy of',
        'ended',
        'given up',
        'committed from',
      ];
      return Object.fromEntries(Object.entries(record ?? {}).filter(([name]) => names.includes(name)));
    };
    assert.equal(computed(first), { ...half, checks: 0 });
    assert.equal(computed(copy), { ...half, checks: 2, 'copy of': '0' });
    assert.equal(computed(ends), { ended: '0,1' });
    assert.equal(computed(lastEnd), { ended: '2', 'given up': '0' });
    assert.equal(computed(committed), { 'committed from': 0 });
    assert.equal(computed(givenUp), { ...half, checks: 2, 'copy of': '0' });
  }));

test('sound transactions have no problem', () =>
  withStore(SOUND, (store) => {
    const { count, lines } = checked(store);
    assert.is(count, 0, lines.join('\n'));
  }));

const { REAL_TOPIC: _topic, ...nowhere } = HALF;
const { REAL_QID: _queue, ...noQueue } = HALF;
const UNSOUND: readonly (readonly [string, TestMessage, RegExp])[] = [
  ['a half message without its topic', message(HALF_TOPIC, 'x', nowhere), /without REAL_TOPIC/],
  ['one without its queue', message(HALF_TOPIC, 'x', noQueue), /REAL_QID is no queue: .* orders$/],
  ['one with an odd queue', message(HALF_TOPIC, 'x', { ...HALF, REAL_QID: 'x' }), /REAL_QID is no queue/],
  ['a given-up one without its topic', message(GIVEN_UP_TOPIC, 'x', nowhere), /without REAL_TOPIC/],
  ['an end without offsets', op(''), /are offsets with commas, here stands ""/],
  ['an end of words', op('0,one,'), /here stands "0,one,"/],
  ['an end of what is not there yet', op('1,7,'), /ends the half message 7, .* only come to 3 by then/],
];

for (const [name, unsound, text] of UNSOUND) {
  test(`log check reports ${name}`, () =>
    withStore([...SOUND, unsound], (store) => {
      const { problems } = checked(store);
      assert.is(problems.length, 1, JSON.stringify(problems));
      assert.is(problems[0]?.at, store.positions.at(-1));
      assert.match(problems[0]?.text ?? '', text);
    }));
}

test('ends of half messages that are no longer in the log are no problem', () =>
  withStore([op('70,71,'), message('orders', 'x', {})], (store) => {
    assert.is(checked(store).count, 0);
  }));

test.run();
