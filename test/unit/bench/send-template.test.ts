import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { FrameRing } from '../../../bench/load/frame-ring.ts';
import {
  buildSendTemplate,
  type HeaderFormat,
  OPAQUE_BASE,
  type SendShape,
} from '../../../bench/load/send-template.ts';
import { keyPrefix } from '../../../bench/load/unique-key.ts';
import { type RemotingCommand, SERIALIZE_BINARY, SERIALIZE_JSON } from '../../../src/protocol/command.ts';
import { decodeCommand } from '../../../src/protocol/command-codec.ts';

const BORN = 1_700_000_123_456;

function shape(header: HeaderFormat, changes: Partial<SendShape> = {}): SendShape {
  const keyOfRun7 = keyPrefix(7, 3);
  return {
    header,
    bodyBytes: 100,
    topic: 'orders',
    topics: 1,
    tag: 'TagA',
    keys: false,
    keyPrefix: keyOfRun7,
    ...changes,
  };
}

function ring(sendShape: SendShape, capacity: number, queues = 4, firstQueue = 0): FrameRing {
  const template = buildSendTemplate(sendShape);
  const frames = new FrameRing(template, { capacity, topics: sendShape.topics, queues, firstQueue });
  frames.setMillis(BORN);
  return frames;
}

function frameAt(frames: FrameRing, position: number): Buffer {
  return frames.bytes.subarray(position * frames.frameBytes, (position + 1) * frames.frameBytes);
}

function decode(frames: FrameRing, position: number): RemotingCommand {
  return decodeCommand(frameAt(frames, position).subarray(4));
}

function parseProperties(text: string): Map<string, string> {
  const pairs = text.split('\x02').filter((pair) => pair !== '');
  return new Map(pairs.map((pair) => pair.split('\x01') as [string, string]));
}

function properties(command: RemotingCommand): Map<string, string> {
  return parseProperties(command.fields['i'] as string);
}

for (const header of ['json', 'binary'] as const) {
  test(`${header}: a patched frame decodes to the message that it stands for`, () => {
    const frames = ring(shape(header), 4);
    frames.fill(OPAQUE_BASE + 12_345);
    const command = decode(frames, 0);
    assert.is(frameAt(frames, 0).readInt32BE(0), frames.frameBytes - 4, 'length field');
    assert.is(command.serializeType, header === 'json' ? SERIALIZE_JSON : SERIALIZE_BINARY);
    assert.is(command.code, 310);
    assert.is(command.opaque, OPAQUE_BASE + 12_345);
    assert.is(command.flag, 0);
    assert.is(command.version, 513);
    assert.is(command.fields['b'], 'orders');
    assert.is(command.fields['e'], '0');
    assert.is(command.fields['g'], String(BORN));
    assert.is(command.body?.length, 100);
    for (const required of ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'])
      assert.type(command.fields[required], 'string');
    const stored = properties(command);
    assert.is(stored.get('UNIQ_KEY'), '7F000001000000070000000300000000');
    assert.is(stored.get('WAIT'), 'true');
    assert.is(stored.get('TAGS'), 'TagA');
    assert.not.ok(stored.has('KEYS'));
  });

  test(`${header}: keys count up, queues and topics go round`, () => {
    const frames = ring(shape(header, { topics: 3, keys: true }), 16, 2, 1);
    const seen: string[] = [];
    const keys = new Set<string>();
    for (let index = 0; index < 8; index++) frames.fill(OPAQUE_BASE + index);
    for (let index = 0; index < 8; index++) {
      const command = decode(frames, index);
      seen.push(`${command.fields['b']}/${command.fields['e']}`);
      const stored = properties(command);
      keys.add(stored.get('UNIQ_KEY') as string);
      assert.is(stored.get('KEYS'), `K0000000${index}`);
    }
    assert.is(keys.size, 8);
    assert.equal(seen.slice(0, 3), ['orders_00000/1', 'orders_00001/0', 'orders_00001/1']);
    assert.is(seen[5], 'orders_00000/0', 'six topic-queues, then from the start');
  });
}

interface Item {
  body: Buffer;
  properties: Map<string, string>;
}

/** By hand: what the broker would see, independent of the code that wrote it. */
function items(body: Buffer): Item[] {
  const found: Item[] = [];
  for (let at = 0; at < body.length; ) {
    const bodyLength = body.readInt32BE(at + 16);
    const propertiesAt = at + 20 + bodyLength + 2;
    const end = propertiesAt + body.readInt16BE(propertiesAt - 2);
    assert.is(body.readInt32BE(at), end - at, 'totalSize');
    assert.equal(
      [4, 8, 12].map((place) => body.readInt32BE(at + place)),
      [0, 0, 0],
      'magic, crc, flag',
    );
    found.push({
      body: body.subarray(at + 20, at + 20 + bodyLength),
      properties: parseProperties(body.toString('latin1', propertiesAt, end)),
    });
    at = end;
  }
  return found;
}

for (const header of ['json', 'binary'] as const) {
  test(`${header}: a batch carries messages with keys of their own`, () => {
    const frames = ring(shape(header, { batch: 3, keys: true, bodyBytes: 10 }), 2);
    frames.fill(OPAQUE_BASE);
    frames.fill(OPAQUE_BASE + 1);
    assert.is(frames.counter, 6);
    const [first, second] = [decode(frames, 0), decode(frames, 1)];
    assert.is(second.code, 320);
    assert.is(second.fields['m'], 'true');
    assert.is(second.fields['e'], '1', 'the whole batch goes to one queue');
    const own = properties(second);
    assert.equal([...own.keys()], ['UNIQ_KEY', 'WAIT']);
    assert.is(own.get('UNIQ_KEY'), '7F000002000000070000000300000003', 'no message has it');
    const messages = [first, second].flatMap(({ body }) => items(Buffer.from(body as Uint8Array)));
    assert.is(messages.length, 6);
    messages.forEach(({ body, properties }, index) => {
      assert.is(body.length, 10);
      assert.is(properties.get('UNIQ_KEY'), `7F00000100000007000000030000000${index}`);
      assert.is(properties.get('KEYS'), `K0000000${index}`);
      assert.is(properties.get('WAIT'), 'true');
      assert.is(properties.get('TAGS'), 'TagA');
    });
  });
}

test('frames are rewritten in circular order', () => {
  const frames = ring(shape('json'), 2);
  for (let index = 0; index < 3; index++) frames.fill(OPAQUE_BASE + index);
  assert.is(decode(frames, 0).opaque, OPAQUE_BASE + 2);
  assert.is(decode(frames, 1).opaque, OPAQUE_BASE + 1);
  assert.is(frames.position, 1);
  assert.is(frames.counter, 3);
});

const NO_DUE = { delayLevel: 0, timerDelayMillis: 0, deliverAt: 0, spreadMillis: 0, messagesEach: 0 };

for (const header of ['json', 'binary'] as const) {
  test(`${header}: when a message is to come stands in its properties`, () => {
    for (const [due, name, value] of [
      [{ delayLevel: 3 }, 'DELAY', '3'],
      [{ timerDelayMillis: 2500 }, 'TIMER_DELAY_MS', '2500'],
      [{ deliverAt: BORN }, 'TIMER_DELIVER_MS', String(BORN)],
    ] as const) {
      const frames = ring(shape(header, { due: { ...NO_DUE, ...due } }), 2);
      frames.fill(OPAQUE_BASE);
      assert.is(properties(decode(frames, 0)).get(name), value);
    }
  });

  test(`${header}: times are spread over the messages of a connection`, () => {
    const due = { ...NO_DUE, deliverAt: BORN, spreadMillis: 1000, messagesEach: 4 };
    const sendShape = shape(header, { due });
    const template = buildSendTemplate(sendShape);
    const frames = new FrameRing(template, { capacity: 4, topics: 1, queues: 4, firstQueue: 0, due });
    frames.setMillis(BORN);
    for (let index = 0; index < 4; index++) frames.fill(OPAQUE_BASE + index);
    const times = [0, 1, 2, 3].map((at) => properties(decode(frames, at)).get('TIMER_DELIVER_MS'));
    assert.equal(
      times,
      [0, 250, 500, 750].map((millis) => String(BORN + millis)),
    );
  });

  test(`${header}: a half message says so, and whose it is`, () => {
    const frames = ring(shape(header, { half: true }), 1);
    frames.fill(OPAQUE_BASE);
    const command = decode(frames, 0);
    assert.is(command.fields['f'], '4');
    assert.is(properties(command).get('TRAN_MSG'), 'true');
    assert.is(properties(command).get('PGROUP'), command.fields['a']);
  });
}

test.run();
