/** Stored messages to the byte; the vectors were computed independently of this code. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { decodeRecord, messageIdOf, type StoredMessage } from '../../../src/record/decode.ts';
import { encodeRecord, withHostFlags } from '../../../src/record/encode.ts';
import { MAGIC_V1, MAGIC_V2, recordSize } from '../../../src/record/layout.ts';
import { decodeMessageId, encodeMessageId } from '../../../src/record/message-id.ts';
import { encodeProperties, hasNul, parseProperties } from '../../../src/record/properties.ts';
import { PropertyScan } from '../../../src/record/property-scan.ts';
import { magicOf, RecordParts } from '../../../src/record/view.ts';
import { headFor, smallStore } from '../../support/messages.ts';

const test = suite('record');

const GOLDEN =
  '0000006bdaa320a73610a686000000010000000000000000000000050000000000000100000000000000018bcfe56800' +
  '0a0000090000c3500000018bcfe568010a00000100002a9f00000000000000000000000000000005' +
  '68656c6c6f0154000a54414753015461674102';

const V6 = { address: Uint8Array.from({ length: 16 }, (_, i) => i + 1), port: 10911 };

test('the golden record is decoded', () => {
  const message = decodeRecord(Buffer.from(GOLDEN, 'hex'));
  assert.equal(
    {
      ...message,
      body: Buffer.from(message?.body ?? []).toString(),
      properties: [...(message?.properties ?? [])],
    },
    {
      topic: 'T',
      queueId: 1,
      queueOffset: 5,
      physicalOffset: 256,
      flag: 0,
      sysFlag: 0,
      bornTimestamp: 1_700_000_000_000,
      storeTimestamp: 1_700_000_000_001,
      bornHost: { address: Buffer.from([10, 0, 0, 9]), port: 50000 },
      storeHost: { address: Buffer.from([10, 0, 0, 1]), port: 10911 },
      reconsumeTimes: 0,
      preparedTransactionOffset: 0,
      body: 'hello',
      properties: [['TAGS', 'TagA']],
    },
  );
  assert.is(messageIdOf(message as StoredMessage), '0A00000100002A9F0000000000000100');
});

test('the golden record is what a store writes', () => {
  const { store, clock } = smallStore();
  // 256 bytes of another message before it, and five before it in its queue.
  clock.time = 1_700_000_000_001;
  const filler = (size: number) => new Uint8Array(size - 91 - 1).fill(1);
  store.append('o', headFor(0), filler(256), '');
  store.directory.setNext(2, 5);
  store.append('T', headFor(1), Buffer.from('hello'), 'TAGS\x01TagA\x02');
  store.dispatch();
  const record = Buffer.from(store.reader.recordAt(256) ?? []);
  assert.is(record.toString('hex'), GOLDEN);
});

test('V2 from a topic of 128 bytes on, V1 up to 127', () => {
  for (const [length, magic] of [
    [1, MAGIC_V1],
    [127, MAGIC_V1],
    [128, MAGIC_V2],
    [32767, MAGIC_V2],
  ] as const) {
    const topic = 't'.repeat(length);
    const record = encodeRecord(headFor(3), Buffer.from(topic), Buffer.from('b'), Buffer.from('K\x01v\x02'));
    const view = new DataView(record.buffer);
    assert.is(magicOf(view, 0), magic);
    assert.is(record.length, recordSize(1, length, 4, 0));
    const message = decodeRecord(record);
    assert.equal([message?.topic.length, message?.queueId, message?.properties.get('K')], [length, 3, 'v']);
  }
});

test('IPv6 hosts take 12 bytes more each and set their flag, whatever the producer said', () => {
  for (const [bornHost, storeHost, flags] of [
    [headFor(0).bornHost, V6, 0x20],
    [V6, headFor(0).storeHost, 0x10],
    [V6, V6, 0x30],
  ] as const) {
    const head = headFor(0, { bornHost, storeHost, sysFlag: 0x1 | 0x10 | 0x20, reconsumeTimes: 3 });
    const record = encodeRecord(head, Buffer.from('T'), Buffer.from('body'), Buffer.from('A\x01b\x02'));
    const message = decodeRecord(record);
    assert.is(message?.sysFlag, 0x1 | flags);
    assert.equal(message?.bornHost.address, bornHost.address);
    assert.equal(message?.storeHost.address, storeHost.address);
    assert.equal([message?.reconsumeTimes, message?.properties.get('A')], [3, 'b']);
    assert.is(withHostFlags(0x30, headFor(0).bornHost, headFor(0).storeHost), 0);
  }
});

test('a record is not decoded when its lengths do not fit, wherever it is cut or changed', () => {
  const golden = Buffer.from(GOLDEN, 'hex');
  for (let length = 0; length < golden.length; length++) {
    assert.is(decodeRecord(Uint8Array.from(golden.subarray(0, length))), undefined, `${length} bytes`);
  }
  const with32 = (at: number, value: number) => {
    const bytes = Uint8Array.from(golden);
    new DataView(bytes.buffer).setInt32(at, value);
    return bytes;
  };
  for (const changed of [
    with32(0, 106),
    with32(4, 0),
    with32(84, -1),
    with32(84, 0x7fffffff),
    with32(84, 6),
  ]) {
    assert.is(decodeRecord(changed), undefined);
  }
});

test('parts are located without a look behind the end', () => {
  const golden = Uint8Array.from(Buffer.from(GOLDEN, 'hex'));
  const parts = new RecordParts();
  for (let end = 0; end <= golden.length; end++) {
    // A view that ends where the record may be read: a look behind it would throw.
    const view = new DataView(golden.buffer, 0, end);
    assert.is(parts.locate(view, 0, end), end === golden.length, `end ${end}`);
  }
  assert.equal([parts.bodyOffset, parts.topicOffset, parts.propertiesOffset], [88, 94, 97]);
});

test('message ids of both kinds go there and back', () => {
  const host = { address: Uint8Array.of(10, 0, 0, 1), port: 10911 };
  assert.is(encodeMessageId(host, 256), '0A00000100002A9F0000000000000100');
  for (const [given, offset] of [
    [host, 0],
    [host, Number.MAX_SAFE_INTEGER],
    [V6, 2 ** 40],
  ] as const) {
    const id = encodeMessageId(given, offset);
    assert.is(id.length, given === V6 ? 56 : 32);
    const decoded = decodeMessageId(id);
    assert.equal([...(decoded?.host.address ?? [])], [...given.address]);
    assert.equal([decoded?.host.port, decoded?.physicalOffset], [10911, offset]);
  }
  for (const bad of ['', 'x'.repeat(32), '0A'.repeat(15), '0A'.repeat(17)]) {
    assert.is(decodeMessageId(bad), undefined);
  }
});

test('properties: pairs without name or value are skipped, the last separator may be missing', () => {
  const cases: [text: string, pairs: [string, string][]][] = [
    ['', []],
    ['a\x01b\x02', [['a', 'b']]],
    ['a\x01b', [['a', 'b']]],
    ['a\x01\x02b\x01c\x02', [['b', 'c']]],
    ['\x01x\x02b\x01c\x02', [['b', 'c']]],
    ['novalue\x02b\x01c\x02', [['b', 'c']]],
    ['a\x01b\x01c\x02', [['a', 'b\x01c']]],
    ['a\x011\x02a\x012\x02', [['a', '2']]],
  ];
  for (const [text, pairs] of cases) assert.equal([...parseProperties(text)], pairs, JSON.stringify(text));
  assert.is(
    encodeProperties([
      ['a', 'b'],
      ['c', ''],
    ]),
    'a\x01b\x02c\x01\x02',
  );
});

test('the scan finds what the parser finds', () => {
  const names = ['TAGS', 'KEYS', 'WAIT', 'DELAY', 'UNIQ_KEY', 'TAG', 'KEYSS', 'UNIQ_KEYS', 'XAGS'];
  const scan = new PropertyScan();
  const check = (text: string) => {
    const bytes = Buffer.from(`....${text}....`);
    scan.scan(bytes, new DataView(bytes.buffer, bytes.byteOffset), 4, bytes.length - 4);
    const found = (at: number, length: number) =>
      length === 0 ? undefined : bytes.toString('utf8', at, at + length);
    const parsed = parseProperties(text);
    assert.equal(
      {
        TAGS: found(scan.tagsOffset, scan.tagsLength),
        KEYS: found(scan.keysOffset, scan.keysLength),
        WAIT: found(scan.waitOffset, scan.waitLength),
        DELAY: found(scan.delayOffset, scan.delayLength),
        UNIQ_KEY: found(scan.uniqueKeyOffset, scan.uniqueKeyLength),
      },
      Object.fromEntries(
        ['TAGS', 'KEYS', 'WAIT', 'DELAY', 'UNIQ_KEY'].map((name) => [name, parsed.get(name)]),
      ),
      JSON.stringify(text),
    );
  };
  for (const first of names) {
    for (const second of names) {
      for (const value of ['v', '', 'a b', '中文', 'x\x01y']) {
        check(`${first}\x01${value}\x02${second}\x01w\x02`);
        check(`${first}\x01w\x02${second}\x01${value}`);
        check(`${first}\x02${second}\x01${value}\x02`);
      }
    }
  }
});

test('the scan knows what a broker writes itself and what is not for the fast path', () => {
  const scan = new PropertyScan();
  const of = (text: string) => {
    const bytes = Buffer.from(text);
    scan.scan(bytes, new DataView(bytes.buffer, bytes.byteOffset), 0, bytes.length);
    return [scan.brokerOwned, scan.transactional, scan.timer, scan.terminated];
  };
  const owned = ['MSG_REGION', 'TRACE_ON', 'CLUSTER', 'POP_CK', '__CRC32#'];
  for (const name of owned) assert.equal(of(`${name}\x01v\x02`), [true, false, false, true], name);
  const timers = ['TIMER_DELAY_MS', 'TIMER_DELAY_SEC', 'TIMER_DELIVER_MS'];
  for (const name of timers) assert.equal(of(`${name}\x01v\x02`), [false, false, true, true], name);
  assert.equal(of('TRAN_MSG\x01true'), [false, true, false, false]);
  assert.equal(of('TIMES\x01v\x02TIME\x01v\x02'), [false, false, false, true]);
});

test('a NUL is found at every place and taken for nothing else', () => {
  const bytes = new Uint8Array(40);
  const view = new DataView(bytes.buffer);
  for (const filler of [1, 2, 0x20, 0x7f, 0x80, 0x81, 0xff]) {
    for (let from = 0; from < 5; from++) {
      for (let to = from; to < 20; to++) {
        bytes.fill(0).fill(filler, from, to);
        assert.not.ok(hasNul(view, from, to), `${filler} [${from}, ${to})`);
        for (let at = from; at < to; at++) {
          bytes[at] = 0;
          assert.ok(hasNul(view, from, to), `${filler} at ${at} of [${from}, ${to})`);
          bytes[at] = filler;
        }
      }
    }
  }
});

test.run();
