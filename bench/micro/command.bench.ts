/**
 * What control pays for the header of a request and for that of its answer, JSON and binary: the general decoder and
 * encoder, on what clients send all the time.
 */
import { RequestCode, ResponseCode } from '../../src/protocol/codes.ts';
import {
  type RemotingCommand,
  requestCommand,
  responseTo,
  SERIALIZE_BINARY,
  SERIALIZE_JSON,
} from '../../src/protocol/command.ts';
import { decodeCommand, encodeCommand, LENGTH_BYTES } from '../../src/protocol/command-codec.ts';
import { TOPIC } from './samples.ts';
import { repeat, type Subject, type Suite } from './suite.ts';

const TIMES = 64;
const GROUP = 'BenchmarkConsumerGroup';
const QUEUE = { consumerGroup: GROUP, queueId: '3', topic: TOPIC };
const FORMS = [
  ['JSON', SERIALIZE_JSON],
  ['binary', SERIALIZE_BINARY],
] as const;

const REQUESTS: readonly (readonly [name: string, code: number, fields: Record<string, string>])[] = [
  ['HEART_BEAT', RequestCode.HEART_BEAT, {}],
  ['GET_MAX_OFFSET', RequestCode.GET_MAX_OFFSET, { committed: 'true', queueId: '3', topic: TOPIC }],
  ['QUERY_CONSUMER_OFFSET', RequestCode.QUERY_CONSUMER_OFFSET, { ...QUEUE, setZeroIfNotFound: 'false' }],
  ['UPDATE_CONSUMER_OFFSET', RequestCode.UPDATE_CONSUMER_OFFSET, { commitOffset: '1234567', ...QUEUE }],
  [
    'CONSUMER_SEND_MSG_BACK',
    RequestCode.CONSUMER_SEND_MSG_BACK,
    {
      ...{ delayLevel: '0', group: GROUP, maxReconsumeTimes: '16', offset: '5000000000' },
      ...{ originMsgId: '7F0000010000A1B20000000000000001', originTopic: TOPIC, unitMode: 'false' },
    },
  ],
];

const ANSWERS: readonly (readonly [name: string, fields: Record<string, string>])[] = [
  ['success and no more', {}],
  ['an offset', { offset: '1234567' }],
  ['a heartbeat', { IS_SUPPORT_HEART_BEAT_V2: 'true', IS_SUB_CHANGE: 'true' }],
];

/** As if it had come from a Java client. */
function frameOf(code: number, fields: Record<string, string>, serializeType: number): Uint8Array {
  const request: RemotingCommand = { ...requestCommand(code, fields), serializeType, opaque: 1_000_000 };
  return encodeCommand(request).subarray(LENGTH_BYTES);
}

function decoding(name: string, frame: Uint8Array): Subject {
  return { name, batch: TIMES, run: repeat(TIMES, () => decodeCommand(frame).opaque) };
}

function encoding(name: string, fields: Record<string, string>, serializeType: number): Subject {
  const run = (i: number) => {
    const request = { opaque: 1_000_000 + i, serializeType };
    return encodeCommand(responseTo(request, ResponseCode.SUCCESS, undefined, fields)).length;
  };
  return { name, batch: TIMES, run: repeat(TIMES, run) };
}

export function open(): Suite {
  const decodes = REQUESTS.flatMap(([name, code, fields]) =>
    FORMS.map(([form, type]) => decoding(`decode ${name}, ${form}`, frameOf(code, fields, type))),
  );
  const encodes = ANSWERS.flatMap(([name, fields]) =>
    FORMS.map(([form, type]) => encoding(`encode ${name}, ${form}`, fields, type)),
  );
  return { subjects: [...decodes, ...encodes] };
}
