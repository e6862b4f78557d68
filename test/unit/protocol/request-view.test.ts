/** The data path's view of a frame; that it agrees with the general decoder on everything is the fuzz test's. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MAX_HEADER_FIELDS as MAX_FIELDS } from '../../../src/lib/limits.ts';
import type { RemotingCommand } from '../../../src/protocol/command.ts';
import { decodeCommand } from '../../../src/protocol/command-codec.ts';
import { ABSENT } from '../../../src/protocol/field-table.ts';
import { RequestView } from '../../../src/protocol/request-view.ts';

const test = suite('request view');

function read(frame: Uint8Array, request = new RequestView()): RequestView | undefined {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.length);
  return request.read(frame, view, 0, frame.length) ? request : undefined;
}

/** Undefined: no command. */
function general(frame: Uint8Array): RemotingCommand | undefined {
  try {
    return decodeCommand(frame);
  } catch {
    return undefined;
  }
}

function json(header: string, body = ''): Buffer {
  const bytes = Buffer.from(header);
  const frame = Buffer.concat([Buffer.alloc(4), bytes, Buffer.from(body)]);
  frame.writeUIntBE(bytes.length, 1, 3);
  return frame;
}

test('the golden binary frame', () => {
  const frame = Buffer.from(
    '01000021006900' + '01df00000001000000000000000' + '00000000c0005746f7069630000000154',
    'hex',
  );
  const request = read(frame);
  assert.equal(
    [
      request?.code,
      request?.version,
      request?.opaque,
      request?.flag,
      request?.text('topic'),
      request?.bodyLength,
    ],
    [105, 479, 1, 0, 'T', 0],
  );
  assert.is(request?.fields.bytes, frame, 'read in place');
});

test('a JSON frame with a body, read in place', () => {
  const frame = json('{"code":11,"extFields":{"topic":"T","queueId":"3"},"flag":2,"opaque":-5}', 'body');
  const request = read(frame);
  assert.equal(
    [request?.code, request?.opaque, request?.flag, request?.integer('queueId'), request?.text('topic')],
    [11, -5, 2, 3, 'T'],
  );
  assert.equal([request?.bodyLength, request?.bodyOffset], [4, frame.length - 4]);
  assert.is(request?.fields.bytes, frame);
});

test('entries of a binary header count, also those that are no fields', () => {
  const entry = (name: string, value: string) => {
    const bytes = Buffer.alloc(6 + name.length + value.length);
    bytes.writeInt16BE(name.length);
    bytes.write(name, 2);
    bytes.writeInt32BE(value.length, 2 + name.length);
    bytes.write(value, 6 + name.length);
    return bytes;
  };
  const some = [entry('', ''), entry('a', ''), entry('', 'b'), entry('c', 'd')];
  for (const count of [MAX_FIELDS - 1, MAX_FIELDS, MAX_FIELDS + 1]) {
    const entries = Buffer.concat(Array.from({ length: count }, (_, i) => some[i % 4] as Buffer));
    const header = Buffer.concat([Buffer.alloc(21), entries]);
    header.writeInt32BE(entries.length, 17);
    const frame = Buffer.concat([Buffer.from([1, 0, 0, header.length]), header]);
    frame.writeUIntBE(header.length, 1, 3);
    for (const decoded of [read(frame), general(frame)])
      assert.is(decoded !== undefined, count <= MAX_FIELDS, `${count} entries`);
  }
});

test('a view forgets the frame before', () => {
  const request = new RequestView();
  read(json('{"code":11,"extFields":{"a":"1","b":"2"},"flag":1,"opaque":9,"version":7}'), request);
  read(json('{"code":12}'), request);
  assert.equal([request.code, request.flag, request.opaque, request.version], [12, 0, 0, 0]);
  assert.equal([request.fields.count, request.has('a'), request.text('a')], [0, false, '']);
  assert.ok(Number.isNaN(request.integer('a')));
});

test('what is no command', () => {
  const bad = [
    Buffer.alloc(0),
    Buffer.alloc(3),
    Buffer.from([0, 0, 0, 1]), // header behind the end
    Buffer.from([2, 0, 0, 0]), // unknown serialize type
    Buffer.from([0xff, 0, 0, 0]),
    json('{'),
    json('[]'),
    json('{"code":2147483648}'),
    json('{"code":1}x'),
    Buffer.from([1, 0, 0, 16, ...new Uint8Array(16)]), // a binary header is never that short
  ];
  for (const [i, frame] of bad.entries()) assert.is(read(frame), undefined, `case ${i}`);
});

test('numbers: whole ones within 2^53, everything else is none', () => {
  const values: [text: string, number: number][] = [
    ['0', 0],
    ['-1', -1],
    ['007', 7],
    ['999999999999999', 999999999999999],
    ['9007199254740991', 9007199254740991],
    ['-9007199254740991', -9007199254740991],
    ['00000000000000000012', 12],
    ['9223372036854775807', 2 ** 63],
    ['99999999999999999999', Number.NaN],
    ['9'.repeat(400), Number.NaN],
    ['', Number.NaN],
    ['-', Number.NaN],
    ['1.0', Number.NaN],
    ['1e3', Number.NaN],
    ['+1', Number.NaN],
    [' 1', Number.NaN],
    [`${'1'.repeat(16)}x`, Number.NaN],
  ];
  for (const [text, number] of values) {
    const request = read(json(`{"extFields":{"n":"${text}"}}`));
    assert.is(String(request?.integer('n')), String(number), text);
  }
});

test('escapes are resolved, also in numbers and names', () => {
  const request = read(
    json('{"extFields":{"a":"\\u0041\\n\\ud83d\\ude00\\ud800x","n":"\\u0031\\u0032","t":"tr\\u0075e"}}'),
  );
  assert.is(request?.text('a'), 'A\n😀\ufffdx');
  assert.is(request?.integer('n'), 12);
  assert.is(request?.fields.isTrue(request.fields.find('t')), true);
  assert.is(read(json('{"extFields":{"\\u0061":"1"}}'))?.text('a'), '1');
});

test('of a field that occurs twice the last counts', () => {
  const request = read(json('{"extFields":{"a":"1","b":"2","a":"3"}}'));
  assert.is(request?.text('a'), '3');
  assert.is(read(json('{"extFields":{"a":"1"},"extFields":{"b":"2"}}'))?.has('a'), false);
});

test('as many fields as there is room for, and not one more', () => {
  const header = (count: number) =>
    `{"extFields":{${Array.from({ length: count }, (_, i) => `"f${i}":"${i}"`).join(',')}}}`;
  const most = read(json(header(MAX_FIELDS)));
  assert.is(most?.integer(`f${MAX_FIELDS - 1}`), MAX_FIELDS - 1);
  assert.is(most?.fields.find('f64'), ABSENT);
  assert.is(read(json(header(MAX_FIELDS + 1))), undefined);
});

type Field = [name: string | Uint8Array, value: string | Uint8Array];

interface Head {
  code?: number;
  version?: number;
  opaque?: number;
  flag?: number;
}

function binary(fields: Field[], { code = 310, version = 513, opaque = 1, flag = 0 }: Head = {}): Buffer {
  const entries = fields.flatMap(([name, value]) => {
    const [nameBytes, valueBytes] = [Buffer.from(name), Buffer.from(value)];
    const [nameLength, valueLength] = [Buffer.alloc(2), Buffer.alloc(4)];
    nameLength.writeInt16BE(nameBytes.length);
    valueLength.writeInt32BE(valueBytes.length);
    return [nameLength, nameBytes, valueLength, valueBytes];
  });
  const length = Buffer.concat(entries).length;
  const head = Buffer.alloc(4 + 21);
  head.writeInt32BE((1 << 24) | (21 + length), 0);
  head.writeInt16BE(code, 4);
  head.writeInt16BE(version, 7);
  head.writeInt32BE(opaque, 9);
  head.writeInt32BE(flag, 13);
  head.writeInt32BE(length, 21);
  return Buffer.concat([head, ...entries]);
}

const KNOWN: Field[] = [
  ['a', 'group'],
  ['topic', 'T1'],
  ['n', '-12'],
  ['i', 'KEYS\x01k1\x02TAGS\x01A\x02'],
];

function known(...more: Field[]): Field[] {
  return KNOWN.map((field) => more.find(([name]) => name === field[0]) ?? field);
}

test('a binary header like one before is known: its opaque and bytes of its values are its own', () => {
  const request = new RequestView();
  read(binary(KNOWN), request);
  assert.is(request.template, undefined);
  for (const opaque of [0, 2, -1, -2147483648, 2147483647, 0x01020304]) {
    read(binary(known(['n', '345'], ['topic', 'é']), { opaque }), request);
    assert.is.not(request.template, undefined, `opaque ${opaque}`);
    assert.equal(
      [request.code, request.version, request.flag, request.opaque],
      [310, 513, 0, opaque],
      'the numbers of the head',
    );
    assert.equal([request.text('a'), request.text('topic'), request.integer('n')], ['group', 'é', 345]);
  }
  for (const properties of [
    'KEYS\x01xy\x02TAGS\x01"\x02',
    Buffer.from('KEYS\x01\xff\x80\x02TAGS\x01\\\x02', 'latin1'),
  ]) {
    read(binary(known(['i', properties])), request);
    assert.is.not(request.template, undefined);
    assert.is(request.text('i'), Buffer.from(properties).toString());
  }
});

test('a binary header of a known length and another structure is read anew', () => {
  const others: [what: string, frame: Buffer][] = [
    ['another code', binary(KNOWN, { code: 320 })],
    ['one-way', binary(KNOWN, { flag: 2 })],
    ['another version', binary(KNOWN, { version: 479 })],
    ['another name', binary(KNOWN.map(([name, value]) => [name === 'topic' ? 'tropc' : name, value]))],
    ['other lengths', binary(known(['a', 'groups'], ['topic', 'T']))],
    ['no value, and another longer', binary(known(['a', ''], ['topic', 'T1group']))],
    ['another name of a property', binary(known(['i', 'KEYZ\x01k1\x02TAGS\x01A\x02']))],
    ['a separator elsewhere', binary(known(['i', 'KEYS\x01\x021\x02TAGS\x01A\x02']))],
    ['a NUL among properties', binary(known(['i', 'KEYS\x01k\0\x02TAGS\x01A\x02']))],
  ];
  for (const [what, frame] of others) {
    const request = new RequestView();
    read(binary(KNOWN), request);
    assert.is(read(frame, request), request, what);
    assert.is(request.template, undefined, what);
    const anew = read(frame) as RequestView;
    assert.equal([request.code, request.flag, request.version], [anew.code, anew.flag, anew.version], what);
    for (const name of ['a', 'topic', 'tropc', 'n', 'i']) {
      assert.equal([request.has(name), request.text(name)], [anew.has(name), anew.text(name)], what);
    }
    assert.is.not(read(binary(KNOWN), request)?.template, undefined, 'the first is still known');
  }
});

test('a value without bytes is absent, also in a known binary header', () => {
  const request = new RequestView();
  const fields: Field[] = [
    ['a', ''],
    ['', 'nameless'],
    ['b', 'x'],
    ['b', 'last'],
  ];
  for (let time = 0; time < 3; time++) {
    read(binary(fields, { opaque: time }), request);
    assert.is(request.template !== undefined, time > 0);
    assert.equal([request.has('a'), request.has(''), request.text('b')], [false, false, 'last']);
  }
});

test('lengths that lie end a known header as they end an unknown one', () => {
  const request = new RequestView();
  const frame = binary(KNOWN);
  read(frame, request);
  const places: [at: number, bytes: number[]][] = [
    [17, [0x80, 0, 0, 0]], // remark
    [17, [0, 0, 0x7f, 0xff]],
    [21, [0xff, 0xff, 0xff, 0xff]], // fields
    [21, [0, 0, 1, 0]],
    [25, [0xff, 0xff]], // first name
    [28, [0x80, 0, 0, 5]], // first value
  ];
  for (const [at, bytes] of places) {
    const lie = Buffer.from(frame);
    lie.set(bytes, at);
    assert.is(read(lie, request), undefined, `at ${at}`);
  }
  assert.is.not(read(frame, request)?.template, undefined);
});

test.run();
