/** Headers of answers to pulls, byte by byte against the general encoder, for both forms of headers. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type PullAnswer, writePullAnswer } from '../../../src/broker/pull/pull-reply.ts';
import { ResponseCode } from '../../../src/protocol/codes.ts';
import { responseTo, SERIALIZE_BINARY, SERIALIZE_JSON } from '../../../src/protocol/command.ts';
import { encodeCommand } from '../../../src/protocol/command-codec.ts';
import { type PullReader, STATUS_NAMES } from '../../../src/store/read/pull-reader.ts';
import { fakeConnection } from '../../support/fake-connection.ts';
import { Random } from '../../support/random.ts';

const test = suite('pull reply');

const NUMBERS = [0, 1, 9, 10, 99_999, 2147483647, 2147483648, 9007199254740991, -1, -9007199254740991];
const OPAQUES = [0, 5, 123_456, 2147483647, -1, -2147483648];
const CODES = [
  ResponseCode.SUCCESS,
  ResponseCode.PULL_NOT_FOUND,
  ResponseCode.PULL_RETRY_IMMEDIATELY,
  ResponseCode.PULL_OFFSET_MOVED,
];

function expected(answer: PullAnswer, body?: Uint8Array): Buffer {
  const fields = {
    groupSysFlag: '0',
    maxOffset: String(answer.maxOffset),
    minOffset: String(answer.minOffset),
    nextBeginOffset: String(answer.nextBeginOffset),
    offsetDelta: '0',
    suggestWhichBrokerId: String(answer.suggestedBrokerId),
    topicSysFlag: '0',
  };
  return encodeCommand(responseTo(answer, answer.code, STATUS_NAMES[answer.status], fields, body));
}

/** Of a reader only what an answer asks it for. */
function readerOf(body: Uint8Array, stays = true): PullReader {
  const copyTo = (target: Uint8Array, at: number) => {
    target.set(body, at);
    return stays;
  };
  return { totalBytes: body.length, copyTo } as unknown as PullReader;
}

function anyAnswer(random: Random, serializeType: number): PullAnswer {
  return {
    opaque: random.pick(OPAQUES),
    serializeType,
    code: random.pick(CODES),
    status: random.int(0, STATUS_NAMES.length - 1),
    nextBeginOffset: random.pick(NUMBERS),
    minOffset: random.pick(NUMBERS),
    maxOffset: random.pick(NUMBERS),
    suggestedBrokerId: random.pick([0, 1, 12, 2147483648]),
  };
}

for (const [name, serializeType] of [
  ['JSON', SERIALIZE_JSON],
  ['binary', SERIALIZE_BINARY],
] as const) {
  test(`answers with and without messages, ${name} header`, () => {
    const random = new Random(5);
    const client = fakeConnection();
    for (let run = 0; run < 5000; run++) {
      const answer = anyAnswer(random, serializeType);
      const body = random.chance(0.5) ? Buffer.alloc(random.int(1, 3000), 'm') : undefined;
      const written = writePullAnswer(client.connection, answer, body && readerOf(body));
      assert.is(written, true);
      assert.equal(client.frames()[0], expected(answer, body), JSON.stringify(answer));
    }
  });

  test(`nothing is left of an answer whose messages have gone, ${name} header`, () => {
    const client = fakeConnection();
    const answer = anyAnswer(new Random(1), serializeType);
    assert.is(writePullAnswer(client.connection, answer), true);
    assert.is(writePullAnswer(client.connection, answer, readerOf(Buffer.from('gone'), false)), false);
    assert.is(writePullAnswer(client.connection, answer), true);
    assert.equal(client.frames(), [expected(answer), expected(answer)]);
  });
}

test.run();
