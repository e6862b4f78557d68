/** The data path's view of a frame; that it agrees with the general decoder on everything is the fuzz test's. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MAX_HEADER_FIELDS as MAX_FIELDS } from '../../../src/lib/limits.ts';
import { ABSENT } from '../../../src/protocol/field-table.ts';
import { RequestView } from '../../../src/protocol/request-view.ts';

const test = suite('request view');

function read(frame: Uint8Array, request = new RequestView()): RequestView | undefined {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.length);
  return request.read(frame, view, 0, frame.length) ? request : undefined;
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

test.run();
