/** The frame cutter against a splitter that sees the whole stream at once, however the stream is cut into chunks. */
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CUT_ALL, CUT_BLOCKED, CUT_BROKEN, FrameCutter } from '../../src/protocol/frame-cutter.ts';
import { fuzz } from './run.ts';

const test = suite('frame cutter');

interface Stream {
  bytes: Uint8Array;
  /** Lengths of the chunks in turn, over and over. */
  chunks: number[];
  /** How often the handler refuses each frame before it takes it, in turn. */
  refusals: number[];
}

interface Outcome {
  frames: string[];
  broken: boolean;
}

type Cutter = Pick<FrameCutter, 'push' | 'resume' | 'keptBytes'>;

/** All frames up to the first length that no frame has. */
function splitNaively(bytes: Uint8Array): Outcome {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const frames: string[] = [];
  let at = 0;
  while (bytes.length - at >= 4) {
    const length = view.getInt32(at);
    if (length < 4 || length > 16 * 1024 * 1024 - 4) return { frames, broken: true };
    if (bytes.length - at - 4 < length) break;
    frames.push(Buffer.from(bytes.subarray(at + 4, at + 4 + length)).toString('hex'));
    at += 4 + length;
  }
  return { frames, broken: false };
}

/** Feeds the stream as a network thread does: a blocked connection resumes, and is not read meanwhile. */
function cut(cutter: Cutter, { bytes, chunks, refusals }: Stream): Outcome {
  const frames: string[] = [];
  const buffer = new Uint8Array(4096);
  const view = new DataView(buffer.buffer);
  let left = refusals[0] ?? 0;
  const handle = (from: Uint8Array, at: DataView, offset: number, length: number): number => {
    if (left-- > 0) return CUT_BLOCKED;
    left = refusals[frames.length % Math.max(refusals.length, 1)] ?? 0;
    assert.is(at.getInt32(offset - 4), length, 'view and bytes are of the same memory');
    frames.push(Buffer.from(from.subarray(offset, offset + length)).toString('hex'));
    return CUT_ALL;
  };
  let at = 0;
  for (let n = 0; at < bytes.length; n++) {
    const length = Math.min(Math.max(1, chunks[n % Math.max(chunks.length, 1)] ?? 1), bytes.length - at);
    buffer.fill(0xee);
    buffer.set(bytes.subarray(at, at + length));
    at += length;
    let outcome = cutter.push(buffer, view, length, handle);
    while (outcome === CUT_BLOCKED) outcome = cutter.resume(handle);
    if (outcome === CUT_BROKEN) return { frames, broken: true };
  }
  const whole = frames.reduce((sum, frame) => sum + 4 + frame.length / 2, 0);
  assert.is(cutter.keptBytes, bytes.length - whole, 'all that is not handled is kept');
  return { frames, broken: false };
}

const frame = fc.uint8Array({ minLength: 4, maxLength: 40 }).map((body) => {
  const bytes = Buffer.alloc(4 + body.length);
  bytes.writeInt32BE(body.length);
  bytes.set(body, 4);
  return bytes;
});
const largeFrame = fc.integer({ min: 1000, max: 20_000 }).map((length) => {
  const bytes = Buffer.alloc(4 + length, length & 0xff);
  bytes.writeInt32BE(length);
  return bytes;
});
const lie = fc.constantFrom(0, 3, -1, -2147483648, 16 * 1024 * 1024 - 3, 2147483647).map((length) => {
  const bytes = Buffer.alloc(6);
  bytes.writeInt32BE(length);
  return bytes;
});
const tail = fc.uint8Array({ maxLength: 6 }).map((bytes) => Buffer.from(bytes));
const parts = fc.oneof(
  { weight: 12, arbitrary: frame },
  { weight: 1, arbitrary: largeFrame },
  { weight: 1, arbitrary: lie },
);
const streams: fc.Arbitrary<Stream> = fc
  .tuple(
    fc.array(parts, { maxLength: 12 }),
    tail,
    fc.array(fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 4000 })), { maxLength: 6 }),
    fc.array(fc.constantFrom(0, 0, 0, 1, 2), { maxLength: 5 }),
  )
  .map(([frames, end, chunks, refusals]) => ({
    bytes: Uint8Array.from(Buffer.concat([...frames, end])),
    chunks,
    refusals,
  }));

test('frames come whole, in order and once, and a lie ends the stream where it stands', () => {
  fuzz(streams, (stream) => assert.equal(cut(new FrameCutter(), stream), splitNaively(stream.bytes)), 3000);
});

test('a cutter that forgets a byte is found out', () => {
  const forgetful = (): Cutter => {
    const cutter = new FrameCutter();
    return {
      get keptBytes() {
        return cutter.keptBytes;
      },
      resume: (handle) => cutter.resume(handle),
      push: (bytes, view, length, handle) =>
        cutter.push(bytes, view, cutter.keptBytes === 3 ? length - 1 : length, handle),
    };
  };
  assert.throws(
    () => fuzz(streams, (stream) => assert.equal(cut(forgetful(), stream), splitNaively(stream.bytes)), 3000),
    /Property failed/,
  );
});

test.run();
