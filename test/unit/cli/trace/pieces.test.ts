/** What the trace says of bytes: each byte in exactly one field, and in the fields what the readers find there. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { frameFields } from '../../../../src/cli/trace/pieces/frame.ts';
import { isCovered, type PieceField, textOf } from '../../../../src/cli/trace/pieces/piece.ts';
import { answerFields, recordsOfRequest, requestFields } from '../../../../src/cli/trace/pieces/ring.ts';
import { propertiesOf, recordFields, recordsOf } from '../../../../src/cli/trace/pieces/stored.ts';
import { type HeaderFormat, Requests } from '../../../../src/cli/trace/requests.ts';
import { ResponseCode } from '../../../../src/protocol/codes.ts';
import { type RemotingCommand, responseTo, SERIALIZE_BINARY } from '../../../../src/protocol/command.ts';
import { encodeCommand } from '../../../../src/protocol/command-codec.ts';
import { encodeRecord } from '../../../../src/record/encode.ts';
import { APPEND, writeAppendHead } from '../../../../src/ring/append-records.ts';
import * as positions from '../../../../src/ring/positions.ts';

const test = suite('pieces of a trace');

const PLACE = { address: '127.0.0.1:1', broker: 'broker-a', topic: 'Orders', queueId: 3 };
const FORMATS: readonly HeaderFormat[] = ['json', 'rocketmq'];
const HOST = { address: Uint8Array.of(127, 0, 0, 1), port: 10911 };

function message(body: string) {
  return {
    body: Buffer.from(body),
    properties: new Map([
      ['UNIQ_KEY', 'ABC'],
      ['KEYS', 'one "two"'],
    ]),
  };
}

function record(body: string): Uint8Array {
  const head = { queueId: 3, flag: 0, sysFlag: 0, bornTimestamp: 1, bornHost: HOST, storeHost: HOST };
  return encodeRecord(
    { ...head, reconsumeTimes: 0, preparedTransactionOffset: 0 },
    Buffer.from('Orders'),
    Buffer.from(body),
    Buffer.from('KEYS\x01k\x02TAGS\x01t\x02'),
  );
}

function values(fields: readonly PieceField[]): Map<string, string> {
  return new Map(fields.map(({ name, value }) => [name, value]));
}

/** Their fields cover them, and say what the command says. */
function annotated(command: RemotingCommand): Map<string, string> {
  const bytes = encodeCommand(command);
  const fields = frameFields(bytes);
  assert.ok(isCovered({ bytes, fields }), `each byte once: ${JSON.stringify(fields)}`);
  const found = values(fields);
  assert.is(found.get('length'), String(bytes.length - 4));
  assert.is(found.get('code'), String(command.code));
  assert.is(found.get('opaque'), String(command.opaque));
  const isBinary = command.serializeType === SERIALIZE_BINARY;
  for (const [name, value] of Object.entries(command.fields)) {
    const shown = value === '' ? '""' : textOf(Buffer.from(value));
    assert.is(found.get(`${isBinary ? 'field' : 'extFields'} ${name}`), shown, name);
  }
  return found;
}

test('a send in both header formats', () => {
  for (const format of FORMATS) {
    const found = annotated(new Requests(format).send(PLACE, [message('hello')], 5));
    assert.is(found.get('body'), 'hello', format);
  }
});

test('each message of a batch', () => {
  for (const format of FORMATS) {
    const found = annotated(new Requests(format).send(PLACE, [message('first'), message('second')], 5));
    assert.is(found.get('[0] body'), 'first', format);
    assert.is(found.get('[1] body'), 'second');
    assert.is(found.get('[1] property KEYS'), 'one "two"');
  }
});

test('a pull, and an answer with records', () => {
  for (const format of FORMATS) {
    const pull = new Requests(format).pull('Orders', 3, 7, 'group', 100);
    annotated(pull);
    const body = Buffer.concat([record('one'), record('two')]);
    const answer = responseTo(pull, ResponseCode.SUCCESS, 'FOUND', { nextBeginOffset: '9' }, body);
    const found = annotated(answer);
    assert.is(found.get('remark'), 'FOUND');
    assert.is(found.get('[0] body'), '"one"');
    assert.is(found.get('[1] topic'), 'Orders');
  }
});

test('headers as strange clients write them', () => {
  const headers = [
    '{ "code" : 310 , "extFields" : { "b" : "T\\u0041" , "e" : 3 } , "opaque":1,"flag":0,"language":"CPP","version":1 }',
    '{"code":11,"opaque":-5,"extFields":{},"flag":0,"language":"GO","version":1}',
    '{"code":11,"opaque":2,"flag":0,"language":"GO","version":1,"remark":"a \\"quoted\\" }"}',
  ];
  for (const header of headers) {
    const bytes = Buffer.alloc(8 + header.length);
    bytes.writeInt32BE(4 + header.length, 0);
    bytes.writeInt32BE(header.length, 4);
    bytes.write(header, 8);
    assert.ok(isCovered({ bytes, fields: frameFields(bytes) }), header);
  }
});

test('what is no frame is covered too', () => {
  for (const bytes of [Buffer.from('00000004ffffffff', 'hex'), Buffer.from('0000000500000001ab', 'hex')])
    assert.ok(isCovered({ bytes, fields: frameFields(bytes) }));
});

test('a request to the writer, and its answer', () => {
  const stored = Buffer.concat([record('one'), record('two')]);
  const bytes = new Uint8Array(24 + stored.length);
  const view = new DataView(bytes.buffer);
  view.setInt32(0, bytes.length, true);
  view.setInt32(4, APPEND, true);
  writeAppendHead(view, 8, 6, 1085, stored.length, 2);
  bytes.set(stored, 24);
  const fields = requestFields(bytes);
  assert.ok(isCovered({ bytes, fields }));
  assert.is(values(fields).get('sequence'), '6');
  assert.is(values(fields).get('[1] body'), '"two"');
  const open = fields.filter(({ meaning }) => meaning.startsWith('left open')).map(({ name }) => name);
  assert.equal(open.slice(0, 4), [
    '[0] bodyCrc',
    '[0] queueOffset',
    '[0] physicalOffset',
    '[0] storeTimestamp',
  ]);
  assert.equal(
    recordsOfRequest(bytes).map((one) => one.length),
    [record('one').length, record('two').length],
  );

  const answer = new Uint8Array(48);
  new DataView(answer.buffer).setFloat64(24, 4096, true);
  assert.ok(isCovered({ bytes: answer, fields: answerFields(answer) }));
  assert.is(values(answerFields(answer)).get('physicalOffset'), '4096');
});

test('a record, whole and cut short', () => {
  const whole = record('body');
  assert.ok(isCovered({ bytes: whole, fields: recordFields(whole) }));
  assert.is(values(recordFields(whole)).get('property TAGS'), 't');
  const cut = whole.subarray(0, 60);
  assert.ok(isCovered({ bytes: cut, fields: recordFields(cut) }));
  assert.equal(recordsOf(cut), []);
});

test('properties without their last end, and bytes that are none', () => {
  for (const text of ['A\x01b\x02C\x01d', 'nonsense', 'A\x01b\x02\x02', '\x01\x02']) {
    const bytes = Buffer.from(text);
    assert.ok(isCovered({ bytes, fields: propertiesOf(bytes) }), JSON.stringify(text));
  }
});

test('positions have their own names', () => {
  const slots = Object.entries(positions).filter(([, value]) => typeof value === 'number');
  for (const [slot, name] of positions.POSITION_NAMES.entries()) {
    if (name === 'HALT_CAUSE') continue;
    assert.ok(
      slots.some(([other, value]) => other === name && value === slot),
      `${name} is slot ${slot}`,
    );
  }
  assert.is(positions.POSITION_NAMES.length, positions.AWAITED);
  const all = new positions.Positions();
  all.set(positions.DISPATCHED, 77);
  assert.is(positions.allPositions(all)[positions.DISPATCHED], 77);
});

test.run();
