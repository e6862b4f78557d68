/** The reader against records of the broker's encoder: two hands wrote the layout down. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { RecordReader } from '../../../bench/load/record-reader.ts';
import { encodeRecord } from '../../../src/record/encode.ts';
import type { HostAddress } from '../../../src/record/message-id.ts';

const V4: HostAddress = { address: Uint8Array.of(127, 0, 0, 1), port: 10911 };
const V6: HostAddress = { address: new Uint8Array(16).fill(9), port: 10911 };
const KEY = '7F000001000000010000000000000ABC';
const PROPERTIES = `MSG_REGION\x01DefaultRegion\x02UNIQ_KEY\x01${KEY}\x02WAIT\x01true\x02`;

const BORN = 1_700_000_123_456;
const STORED = 1_700_000_234_567n;

interface Shape {
  bornHost?: HostAddress;
  storeHost?: HostAddress;
  topic?: string;
  properties?: string;
  offset?: bigint;
  body?: string;
}

function record(shape: Shape = {}): Buffer {
  const head = {
    queueId: 1,
    flag: 0,
    sysFlag: 0,
    bornTimestamp: BORN,
    bornHost: shape.bornHost ?? V4,
    storeHost: shape.storeHost ?? V4,
    reconsumeTimes: 0,
    preparedTransactionOffset: 0,
  };
  const text = (value: string): Buffer => Buffer.from(value, 'latin1');
  const bytes = Buffer.from(
    encodeRecord(
      head,
      text(shape.topic ?? 'orders'),
      text(shape.body ?? 'some body'),
      text(shape.properties ?? PROPERTIES),
    ),
  );
  bytes.writeBigInt64BE(shape.offset ?? 0n, 20);
  bytes.writeBigInt64BE(STORED, shape.bornHost === V6 ? 68 : 56);
  return bytes;
}

function keyOf(reader: RecordReader, bytes: Buffer): string {
  return reader.keyAt < 0 ? 'none' : bytes.toString('latin1', reader.keyAt, reader.keyAt + reader.keyLength);
}

test('records of every form, one after the other', () => {
  const reader = new RecordReader();
  const shapes: Shape[] = [
    {},
    { offset: 5n },
    { bornHost: V6 },
    { storeHost: V6 },
    { bornHost: V6, storeHost: V6, offset: (1n << 33n) + 7n },
    { topic: `%RETRY%${'g'.repeat(150)}` },
    { body: '' },
    { body: `UNIQ_KEY\x01${'0'.repeat(32)}\x02` },
  ];
  const records = shapes.map(record);
  const bytes = Buffer.concat([Buffer.from('before'), ...records]);
  let at = 'before'.length;
  for (const [index, shape] of shapes.entries()) {
    reader.read(bytes, at, bytes.length);
    assert.is(reader.size, records[index]?.length);
    assert.is(reader.queueOffset, Number(shape.offset ?? 0n));
    assert.is(keyOf(reader, bytes), KEY);
    assert.is(reader.bornMillis, BORN);
    assert.is(reader.storeMillis, Number(STORED));
    at += reader.size;
  }
  assert.is(at, bytes.length);
});

test('the key is found wherever it stands, and only under its own name', () => {
  const reader = new RecordReader();
  for (const [properties, expected] of [
    [`UNIQ_KEY\x01${KEY}\x02`, KEY],
    [`A\x01UNIQ_KEY\x02UNIQ_KEY\x01${KEY}\x02`, KEY],
    [`UNIQ_KEY\x01${KEY}`, KEY],
    [`A\x01b\x02UNIQ_KEY\x01short\x02C\x01d\x02`, 'short'],
    ['NOT_UNIQ_KEY\x01x\x02', 'none'],
    ['', 'none'],
  ] as const) {
    const bytes = record({ properties });
    reader.read(bytes, 0, bytes.length);
    assert.is(keyOf(reader, bytes), expected, JSON.stringify(properties));
  }
});

test('torn and contradictory records are errors', () => {
  const reader = new RecordReader();
  const whole = record();
  assert.throws(() => reader.read(whole, 0, whole.length - 1), /are left/);
  assert.throws(() => reader.read(whole, 0, 50), /are left/);
  const magic = Buffer.from(whole);
  magic[4] = 1;
  assert.throws(() => reader.read(magic, 0, magic.length), /magic/);
  const length = Buffer.from(whole);
  length.writeInt32BE(10, 84);
  assert.throws(() => reader.read(length, 0, length.length), /contradict/);
});

test.run();
