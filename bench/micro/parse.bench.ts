/** From bytes of a socket to a request: cutting frames and reading their headers, with JSON.parse for comparison. */
import { FrameCutter } from '../../src/protocol/frame-cutter.ts';
import { decodeJsonHeader } from '../../src/protocol/json-header.ts';
import { RequestView } from '../../src/protocol/request-view.ts';
import { type Chunk, sendChunk } from './samples.ts';
import type { Subject, Suite } from './suite.ts';

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

export function open(): Suite {
  const json = sendChunk('json', FRAMES);
  const binary = sendChunk('binary', FRAMES);
  return {
    subjects: [
      cutting('cut a frame', json, false),
      cutting(`cut and read, JSON header of ${json.headerBytes} bytes`, json, true),
      cutting(`cut and read, binary header of ${binary.headerBytes} bytes`, binary, true),
      decoding('the same JSON header by JSON.parse', json, (header) => JSON.parse(header.toString()).opaque),
      decoding(
        'the same JSON header by the general decoder',
        json,
        (header) => decodeJsonHeader(header).opaque,
      ),
    ],
  };
}
