/** Headers that are too long to be parsed are refused with what their two ends tell. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MAX_HEADER_BYTES } from '../../../src/lib/limits.ts';
import { ResponseCode } from '../../../src/protocol/codes.ts';
import {
  FLAG_ONEWAY,
  FLAG_RESPONSE,
  type RemotingCommand,
  requestCommand,
  SERIALIZE_BINARY,
  SERIALIZE_JSON,
} from '../../../src/protocol/command.ts';
import { encodeCommand, LENGTH_BYTES } from '../../../src/protocol/command-codec.ts';
import { isOversized, refuseOversized } from '../../../src/protocol/oversized-header.ts';

const test = suite('oversized headers');

function outcomeOf(frame: Uint8Array): RemotingCommand | undefined | false | 'fits' {
  // Not at the start of its buffer, as in a network thread.
  const buffer = new Uint8Array(frame.length + 3);
  buffer.set(frame, 3);
  const view = new DataView(buffer.buffer);
  const length = frame.length - LENGTH_BYTES;
  return isOversized(view, 3 + LENGTH_BYTES, length)
    ? refuseOversized(view, 3 + LENGTH_BYTES, length)
    : 'fits';
}

function jsonFrame(header: string, body = 0): Buffer {
  const frame = Buffer.alloc(8 + header.length + body);
  frame.writeInt32BE(frame.length - 4, 0);
  frame.writeInt32BE(header.length, 4);
  frame.write(header, 8, 'latin1');
  return frame;
}

const LONG = 'x'.repeat(MAX_HEADER_BYTES);

test('the answer has number and format of the request', () => {
  for (const serializeType of [SERIALIZE_JSON, SERIALIZE_BINARY])
    for (const opaque of [0, 77, -1, 0x7fffffff]) {
      const request = { ...requestCommand(310, { a: LONG }), serializeType, opaque };
      const answer = outcomeOf(encodeCommand(request));
      assert.type(answer, 'object');
      const { code, remark, flag, ...rest } = answer as RemotingCommand;
      assert.equal(
        [code, flag, rest.opaque, rest.serializeType],
        [ResponseCode.MESSAGE_ILLEGAL, FLAG_RESPONSE, opaque, serializeType],
      );
      assert.match(remark as string, /limit MAX_HEADER_BYTES/);
      assert.is(outcomeOf(encodeCommand({ ...request, flag: FLAG_ONEWAY })), undefined);
      assert.is(outcomeOf(encodeCommand({ ...request, flag: FLAG_RESPONSE })), false);
    }
});

test('the number is found before the texts and behind them, never in them', () => {
  const opaqueOf = (header: string) => {
    const outcome = outcomeOf(jsonFrame(header));
    return typeof outcome === 'object' ? outcome.opaque : outcome;
  };
  const texts = `"extFields":{"a":"${LONG}"}`;
  assert.is(opaqueOf(`{"code":10,${texts},"flag":0,"language":"JAVA","opaque":5,"version":513}`), 5);
  assert.is(opaqueOf(`{"code":10,"language":"GO","version":317,"opaque":6,"flag":0,${texts}}`), 6);
  assert.is(opaqueOf(`{"extFields":{"opaque":9,"flag":2,"a":"${LONG}"},"flag":0,"opaque":7}`), 7);
  assert.is(opaqueOf(`{"code":10,${texts}}`), false);
  assert.is(opaqueOf(`{"code":10,"opaque":5,${texts}}`), false);
  assert.is(opaqueOf(LONG + LONG), false);
});

test('a long body is no long header', () => {
  assert.is(outcomeOf(jsonFrame('{"code":10,"flag":0,"opaque":5}', 2 * MAX_HEADER_BYTES)), 'fits');
  const header = `{"code":10,"flag":0,"opaque":5,"a":"${'x'.repeat(MAX_HEADER_BYTES)}`.slice(
    0,
    MAX_HEADER_BYTES,
  );
  assert.is(outcomeOf(jsonFrame(header, 10)), 'fits');
  assert.is((outcomeOf(jsonFrame(`${header}x`)) as RemotingCommand).opaque, 5);
});

test('a binary header whose length lies', () => {
  const frame = encodeCommand({
    ...requestCommand(10, { a: LONG }),
    serializeType: SERIALIZE_BINARY,
    opaque: 3,
  });
  frame.writeUIntBE(0xffffff, 5, 3);
  assert.is((outcomeOf(frame) as RemotingCommand).opaque, 3);
});

test.run();
