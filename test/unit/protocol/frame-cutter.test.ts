/** The frame cutter, mostly as readers at leisure use it; test/fuzz has it blocked and resumed in all ways. */
import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ProtocolError } from '../../../src/protocol/errors.ts';
import {
  CUT_ALL,
  CUT_BLOCKED,
  cutFrames,
  FrameCutter,
  type FrameMemory,
} from '../../../src/protocol/frame-cutter.ts';

function frameOf(content: Uint8Array): Buffer {
  const length = Buffer.alloc(4);
  length.writeInt32BE(content.length);
  return Buffer.concat([length, content]);
}

function cut(cutter: FrameCutter, chunk: Uint8Array): Uint8Array[] {
  const frames: Uint8Array[] = [];
  cutFrames(cutter, chunk, (frame) => frames.push(frame));
  return frames;
}

test('any stream in any chunks gives the same frames', () => {
  const contents = fc.array(fc.uint8Array({ minLength: 4, maxLength: 6000 }), { maxLength: 8 });
  const cuts = fc.array(fc.nat({ max: 40_000 }), { maxLength: 12 });
  fc.assert(
    fc.property(contents, cuts, (frames, positions) => {
      const stream = Buffer.concat(frames.map(frameOf));
      const cutter = new FrameCutter();
      const received: Uint8Array[] = [];
      const ends = [...positions.filter((end) => end < stream.length).sort((a, b) => a - b), stream.length];
      let start = 0;
      for (const end of ends) {
        received.push(...cut(cutter, Buffer.from(stream.subarray(start, end))));
        start = end;
      }
      // Compared at the end only: later chunks must not have touched frames handed out before.
      assert.equal(
        received.map((frame) => Buffer.from(frame).toString('hex')),
        frames.map((frame) => Buffer.from(frame).toString('hex')),
      );
    }),
  );
});

test('what is kept, since which frame, and memory given back', () => {
  const cutter = new FrameCutter();
  const stream = Buffer.concat([frameOf(Buffer.from('abcd')), frameOf(Buffer.alloc(1000, 7))]);
  assert.is(cut(cutter, stream.subarray(0, 100)).length, 1);
  assert.equal([cutter.keptBytes, cutter.frames], [92, 1]);
  cutter.release();
  cut(cutter, stream.subarray(100, 200));
  assert.equal([cutter.keptBytes, cutter.frames], [192, 1], 'release() leaves what is kept alone');
  const [last] = cut(cutter, stream.subarray(200));
  assert.equal([cutter.keptBytes, cutter.frames], [0, 2]);
  cutter.release();
  assert.is(cut(cutter, stream).length, 2);
  assert.ok(last?.every((byte) => byte === 7));
});

test('large memory goes back when its frames are handled, and what is in it does not matter', () => {
  const out = new Set<Buffer>();
  const free: Buffer[] = [];
  let made = 0;
  const memory: FrameMemory = {
    take(bytes) {
      const at = free.findIndex((buffer) => buffer.length >= bytes);
      const buffer =
        at < 0 ? Buffer.allocUnsafeSlow(2 * bytes).fill(0xff) : (free.splice(at, 1)[0] as Buffer);
      if (at < 0) made++;
      out.add(buffer);
      return buffer;
    },
    give(buffer) {
      assert.ok(out.delete(buffer), 'given back once, and only what was taken');
      free.push(buffer.fill(0xee));
    },
  };
  const cutters = [new FrameCutter(memory), new FrameCutter(memory)];
  for (let round = 0; round < 50; round++) {
    const bodies = [70_000 + round, 30, 150_000].map((length, place) => Buffer.alloc(length, round + place));
    const stream = Buffer.concat(bodies.map(frameOf));
    const cuts: Uint8Array[][] = cutters.map(() => []);
    for (let at = 0; at < stream.length; at += 50_000)
      for (const [which, cutter] of cutters.entries())
        cuts[which]?.push(...cut(cutter, stream.subarray(at, at + 50_000)));
    for (const frames of cuts)
      assert.ok(frames.length === 3 && frames.every((frame, place) => bodies[place]?.equals(frame)));
    assert.is(out.size, 0);
  }
  assert.ok(made <= 8, `${made} made`);
});

test('a few bytes behind a large frame that had to wait do not hold its memory', () => {
  let held = 0;
  const memory: FrameMemory = {
    take(bytes) {
      const buffer = Buffer.allocUnsafeSlow(bytes);
      held += buffer.length;
      return buffer;
    },
    give(buffer) {
      held -= buffer.length;
    },
  };
  const cutter = new FrameCutter(memory);
  const body = Buffer.alloc(3_000_000, 7);
  const next = Buffer.from('the frame behind it');
  const stream = Buffer.concat([frameOf(body), frameOf(next)]);
  const view = new DataView(stream.buffer, stream.byteOffset, stream.length);
  const part = stream.length - 10;
  assert.is(
    cutter.push(stream, view, part, () => CUT_BLOCKED),
    CUT_BLOCKED,
  );
  assert.ok(held >= body.length);
  let handled = 0;
  assert.is(
    cutter.resume((_bytes, _view, _offset, length) => {
      handled += length;
      return CUT_ALL;
    }),
    CUT_ALL,
  );
  assert.equal([handled, cutter.keptBytes, held], [body.length, next.length + 4 - 10, 0]);
  assert.ok(next.equals(cut(cutter, stream.subarray(part))[0] as Uint8Array));
});

test('frames that the handler does not take count once, when it has taken them', () => {
  const cutter = new FrameCutter();
  const stream = Buffer.concat([frameOf(Buffer.from('abcd')), frameOf(Buffer.from('efghi'))]);
  const view = new DataView(stream.buffer, stream.byteOffset, stream.length);
  assert.is(
    cutter.push(stream, view, stream.length, () => CUT_BLOCKED),
    CUT_BLOCKED,
  );
  assert.equal([cutter.keptBytes, cutter.frames], [stream.length, 0]);
  assert.is(
    cutter.resume((_bytes, _view, _offset, length) => (length === 4 ? CUT_ALL : CUT_BLOCKED)),
    CUT_BLOCKED,
  );
  assert.equal([cutter.keptBytes, cutter.frames], [9, 1]);
  assert.is(
    cutter.resume(() => CUT_ALL),
    CUT_ALL,
  );
  assert.equal([cutter.keptBytes, cutter.frames], [0, 2]);
});

test('frames before a lie are still handed out', () => {
  const cutter = new FrameCutter();
  const received: string[] = [];
  const chunk = Buffer.concat([frameOf(Buffer.from('abcd')), Buffer.from('7fffffff', 'hex')]);
  assert.throws(
    () => {
      cutFrames(cutter, chunk, (frame) => received.push(Buffer.from(frame).toString()));
    },
    (error: unknown) => error instanceof ProtocolError && error.code === 'LENGTH',
  );
  assert.equal(received, ['abcd']);
});

for (const lie of ['00fffffd', '00000003', '80000000', 'ffffffff']) {
  test(`length ${lie} is refused before anything follows`, () => {
    assert.throws(
      () => cut(new FrameCutter(), Buffer.from(lie, 'hex')),
      (error: unknown) => error instanceof ProtocolError,
    );
  });
}

test('the largest frame passes', () => {
  const length = 16 * 1024 * 1024 - 4;
  const cutter = new FrameCutter();
  const first = Buffer.alloc(4);
  first.writeInt32BE(length);
  assert.is(cut(cutter, first).length, 0);
  let frames: Uint8Array[] = [];
  for (let sent = 0; sent < length; sent += 65_536) {
    frames = cut(cutter, Buffer.alloc(Math.min(65_536, length - sent)));
  }
  assert.is(frames[0]?.length, length);
});

test.run();
