/** Messages as people and programs read them, and what of them is sent once more. */
import { deflateSync } from 'node:zlib';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  bodyLine,
  bodyText,
  decodeBody,
  hexText,
  hostText,
  messageJson,
  messageLine,
} from '../../../../src/cli/admin/message-text.ts';
import { listing, table } from '../../../../src/cli/admin/output.ts';
import type { LocatedMessage } from '../../../../src/cli/admin/queue-reads.ts';
import { nearestQueue, onceMore } from '../../../../src/cli/admin/resend.ts';

const test = suite('messages of the command line');

const COMPRESSED = 1;
const ZLIB = 3 << 8;

function message(body: Uint8Array | string, more: Partial<LocatedMessage> = {}): LocatedMessage {
  const host = { address: Uint8Array.of(127, 0, 0, 1), port: 10911 };
  return {
    topic: 'orders',
    broker: 'broker-a',
    queueId: 2,
    queueOffset: 17,
    physicalOffset: 4711,
    flag: 0,
    sysFlag: 0,
    bornTimestamp: 1_000,
    storeTimestamp: 2_000,
    bornHost: host,
    storeHost: host,
    reconsumeTimes: 0,
    preparedTransactionOffset: 0,
    body: Buffer.from(body),
    properties: new Map(),
    ...more,
  };
}

test('text, JSON and bytes are told apart', () => {
  const kind = (body: Uint8Array | string) => decodeBody(message(body)).kind;
  assert.equal(['', 'hello\n', 'grün', '{"a":1}', ' [1]', '{no', '1'].map(kind), [
    'text',
    'text',
    'text',
    'json',
    'json',
    'text',
    'text',
  ]);
  assert.is(kind(Uint8Array.of(0xff, 0xfe)), 'bytes');
  assert.is(kind('a\0b'), 'bytes');
});

test('compressed bodies', () => {
  const packed = deflateSync('hello');
  for (const flag of [COMPRESSED, COMPRESSED | ZLIB])
    assert.is(bodyText(decodeBody(message(packed, { sysFlag: flag })), 'auto'), 'hello');
  const damaged = message('x', { sysFlag: COMPRESSED });
  assert.match(decodeBody(damaged).problem ?? '', /^said to be compressed by zlib, and is not/);
  assert.match(messageLine(damaged, 'auto', 1), /\(said to be compressed by zlib, .*\) {2}78$/);
  assert.match(messageJson(damaged, 'auto').bodyProblem ?? '', /zlib/);
});

test('bodies in each form', () => {
  const json = decodeBody(message('{"a":1}'));
  assert.is(bodyText(json, 'auto'), '{\n  "a": 1\n}');
  assert.is(bodyText(json, 'text'), '{"a":1}');
  assert.is(bodyText(json, 'auto', 'as it is'), '{"a":1}');
  assert.is(bodyText(decodeBody(message('plain')), 'json'), 'plain');
  assert.is(bodyText(decodeBody(message(Uint8Array.of(0xff))), 'auto'), `00000000  ff${' '.repeat(45)}  |.|`);
  assert.is(hexText(Buffer.from('0123456789abcdefX')).split('\n')[1], `00000010  58${' '.repeat(45)}  |X|`);
  assert.is(bodyLine(decodeBody(message('a\n b\tc')), 'auto'), 'a b c');
  assert.is(bodyLine(decodeBody(message('x'.repeat(100))), 'auto', 10), `${'x'.repeat(9)}…`);
  assert.is(bodyLine(decodeBody(message(Uint8Array.of(1, 255))), 'auto'), '01ff');
});

test('as JSON and as a line', () => {
  const properties = new Map([
    ['UNIQ_KEY', 'ID'],
    ['KEYS', 'k1 k2'],
    ['TAGS', 't'],
  ]);
  const json = messageJson(message('{"a":1}', { properties }), 'auto');
  assert.equal(
    [json.id, json.offsetId, json.keys, json.tag, json.body, json.bodyIs],
    ['ID', '7F00000100002A9F0000000000001267', ['k1', 'k2'], 't', { a: 1 }, 'json'],
  );
  assert.is(messageJson(message(Uint8Array.of(0xff)), 'auto').body, '/w==');
  assert.match(
    messageLine(message('hi', { properties }), 'auto', 1),
    / {2}2\/17 {2}ID {2}\[t\] {2}\{k1 k2\} {2}hi$/,
  );
  assert.match(messageLine(message('hi'), 'auto', 2), / {2}broker-a\/2\/17 {2}/);
  assert.is(
    hostText({ address: Buffer.from('20010db8000000000000000000000001', 'hex'), port: 1 }),
    '[2001:db8:0:0:0:0:0:1]:1',
  );
});

test('what brokers have added is not sent once more', () => {
  const properties = new Map([
    ['UNIQ_KEY', 'ID'],
    ['KEYS', 'k'],
    ['mine', 'yes'],
    ['DELAY', '3'],
    ['REAL_TOPIC', 'orders'],
    ['TIMER_DELAY_MS', '1000'],
    ['TRAN_MSG', 'true'],
    ['RETRY_TOPIC', 'orders'],
    ['1ST_POP_TIME', '1000'],
    ['ORIGIN_GROUP', 'billing'],
    ['RINGMQ_DEAD_LETTER', 'A'],
  ]);
  const stored = message('x', { properties, flag: 5, sysFlag: COMPRESSED | ZLIB | 0x8 });
  const fresh = onceMore(stored, {}, false);
  assert.equal(
    [...fresh.properties],
    [
      ['KEYS', 'k'],
      ['mine', 'yes'],
    ],
  );
  assert.equal([fresh.flag, fresh.sysFlag], [5, COMPRESSED | ZLIB]);
  assert.equal(
    [...onceMore(stored, { RETRY_TOPIC: 'orders' }, true).properties.keys()],
    ['UNIQ_KEY', 'KEYS', 'mine', 'RETRY_TOPIC'],
  );
});

test('sent once more it goes where it lay, as far as that is there', () => {
  const queue = (broker: string, queueId: number) => ({ topic: 't', broker, address: '', queueId });
  const queues = [queue('a', 0), queue('a', 1), queue('b', 0), queue('b', 1)];
  const nearest = (broker: string, queueId: number, among = queues) => {
    const found = nearestQueue(among, { broker, queueId });
    return `${found.broker}/${found.queueId}`;
  };
  assert.is(nearest('b', 1), 'b/1');
  assert.is(nearest('b', 4), 'b/0');
  assert.is(nearest('gone', 1), 'a/1');
  assert.is(nearest('b', 7, [queue('a', 0)]), 'a/0');
});

test('tables and listings', () => {
  assert.is(
    table(
      ['name', '#count'],
      [
        ['a', 5],
        ['long', 12],
      ],
    ),
    'NAME  COUNT\na         5\nlong     12',
  );
  assert.is(
    listing([
      ['a', 1],
      ['none', undefined],
      ['long', 'x'],
    ]),
    'a     1\nlong  x',
  );
});

test.run();
