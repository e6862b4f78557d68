/** From bytes of a socket to a request: cutting frames and reading their headers, with JSON.parse for comparison. */

import { RequestCode } from '../../src/protocol/codes.ts';
import { requestCommand, SERIALIZE_BINARY, SERIALIZE_JSON } from '../../src/protocol/command.ts';
import { encodeCommand, LENGTH_BYTES } from '../../src/protocol/command-codec.ts';
import { FrameCutter } from '../../src/protocol/frame-cutter.ts';
import { decodeJsonHeader } from '../../src/protocol/json-header.ts';
import { RequestView } from '../../src/protocol/request-view.ts';
import { type Chunk, sendChunk, TOPIC } from './samples.ts';
import { repeat, type Subject, type Suite } from './suite.ts';

const FRAMES = 32;

function cutting(name: string, chunk: Chunk, read: boolean): Subject {
  const cutter = new FrameCutter();
  const request = new RequestView();
  let sum = 0;
  const handle = (bytes: Uint8Array, view: DataView, offset: number, length: number): number => {
    if (read && !request.read(bytes, view, offset, length)) throw new Error('the frame is no command');
    sum += request.opaque + length;
    return 0;
  };
  return {
    name,
    batch: FRAMES,
    run: () => {
      cutter.push(chunk.bytes, chunk.view, chunk.bytes.length, handle);
      return sum;
    },
  };
}

function decoding(name: string, chunk: Chunk, decode: (header: Buffer) => number): Subject {
  const headers = chunk.offsets.map((offset) =>
    Buffer.from(chunk.bytes.buffer, offset + chunk.headerAt, chunk.headerBytes),
  );
  const run = () => {
    let sum = 0;
    for (const header of headers) sum += decode(header);
    return sum;
  };
  return { name, batch: FRAMES, run };
}

/** A request of a consumer, as the Java client writes it; opaques of one length, which differ. */
function reading(name: string, code: number, fields: Record<string, string>, serializeType: number): Subject {
  const frames = Array.from({ length: FRAMES }, (_, i) => {
    const request = { ...requestCommand(code, fields), serializeType, opaque: 1_000_000 + i };
    return new Uint8Array(encodeCommand(request));
  });
  const views = frames.map(({ buffer }) => new DataView(buffer));
  const request = new RequestView();
  return {
    name,
    batch: FRAMES,
    run: repeat(FRAMES, (i) => {
      const frame = frames[i] as Uint8Array;
      if (!request.read(frame, views[i] as DataView, LENGTH_BYTES, frame.length - LENGTH_BYTES))
        throw new Error('the frame is no command');
      return request.opaque;
    }),
  };
}

const CONSUMER = { consumerGroup: 'BenchmarkConsumerGroup', queueId: '3', topic: TOPIC };
const PULL = {
  ...{ commitOffset: '0', ...CONSUMER, expressionType: 'TAG', maxMsgNums: '32', queueOffset: '1234567' },
  ...{ subVersion: '1750000000000', subscription: '*', suspendTimeoutMillis: '15000', sysFlag: '2' },
};
const ACK = {
  ...CONSUMER,
  extraInfo: '1234567 1750000000000 60000 3 0 broker-a 3 1234568',
  offset: '1234568',
};

export function open(): Suite {
  const json = sendChunk('json', FRAMES);
  const binary = sendChunk('binary', FRAMES);
  return {
    subjects: [
      cutting('cut a frame', json, false),
      cutting(`cut and read, JSON header of ${json.headerBytes} bytes`, json, true),
      cutting(`cut and read, binary header of ${binary.headerBytes} bytes`, binary, true),
      reading('read a pull, JSON header', RequestCode.PULL_MESSAGE, PULL, SERIALIZE_JSON),
      reading('read a pull, binary header', RequestCode.PULL_MESSAGE, PULL, SERIALIZE_BINARY),
      reading('read an ack, JSON header', RequestCode.ACK_MESSAGE, ACK, SERIALIZE_JSON),
      reading('read an ack, binary header', RequestCode.ACK_MESSAGE, ACK, SERIALIZE_BINARY),
      decoding(
        'the JSON header of a send by JSON.parse',
        json,
        (header) => JSON.parse(header.toString()).opaque,
      ),
      decoding(
        'the JSON header of a send by the general decoder',
        json,
        (header) => decodeJsonHeader(header).opaque,
      ),
    ],
  };
}
