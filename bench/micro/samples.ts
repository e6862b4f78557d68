/** Messages as clients send them: the load generator's SEND_MESSAGE_V2 frames, field by field those of the Java client. */
import { buildSendTemplate, type HeaderFormat, OPAQUE_BASE } from '../load/send-template.ts';

export const TOPIC = 'BenchmarkTopic';
export const BODY_BYTES = 1024;

/** Frames with their length fields, one behind the other, in plain bytes as a network thread reads them. */
export interface Chunk {
  bytes: Uint8Array;
  view: DataView;
  /** Where each frame begins, without its length field. */
  offsets: number[];
  /** Bytes of one frame, without its length field. */
  frameBytes: number;
  /** Where the header begins in a frame, and its length. */
  headerAt: number;
  headerBytes: number;
}

const LENGTH_FIELD = 4;
const HEADER_WORD = 4;

export function sendChunk(header: HeaderFormat, frames: number, bodyBytes = BODY_BYTES): Chunk {
  const template = buildSendTemplate({
    header,
    bodyBytes,
    topic: TOPIC,
    topics: 1,
    tag: 'TagA',
    keys: true,
    keyPrefix: '7F0000010000A1B200000000',
  });
  const bytes = new Uint8Array(template.bytes.length * frames);
  const view = new DataView(bytes.buffer);
  const offsets: number[] = [];
  for (let i = 0; i < frames; i++) {
    const start = i * template.bytes.length;
    bytes.set(template.bytes, start);
    writeDigits(bytes, start, template.counterAt, i);
    if (header === 'json') writeDigits(bytes, start, [template.opaqueAt + 2], i);
    else view.setInt32(start + template.opaqueAt, OPAQUE_BASE + i);
    offsets.push(start + LENGTH_FIELD);
  }
  return {
    bytes,
    view,
    offsets,
    frameBytes: template.bytes.length - LENGTH_FIELD,
    headerAt: HEADER_WORD,
    headerBytes: view.getInt32(LENGTH_FIELD) & 0xffffff,
  };
}

function writeDigits(bytes: Uint8Array, start: number, places: number[], value: number): void {
  const digits = Buffer.from(String(value).padStart(8, '0'));
  for (const place of places) bytes.set(digits, start + place);
}
