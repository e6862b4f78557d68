import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ProtocolError } from '../../../src/protocol/errors.ts';
import { FrameSplitter } from '../../../src/protocol/frame-splitter.ts';

function frameOf(content: Uint8Array): Buffer {
  const length = Buffer.alloc(4);
  length.writeInt32BE(content.length);
  return Buffer.concat([length, content]);
}

test('any stream in any chunks gives the same frames', () => {
  const contents = fc.array(fc.uint8Array({ minLength: 4, maxLength: 6000 }), { maxLength: 8 });
  const cuts = fc.array(fc.nat({ max: 40_000 }), { maxLength: 12 });
  fc.assert(
    fc.property(contents, cuts, (frames, positions) => {
      const stream = Buffer.concat(frames.map(frameOf));
      const splitter = new FrameSplitter();
      const received: Uint8Array[] = [];
      const ends = [...positions.filter((end) => end < stream.length).sort((a, b) => a - b), stream.length];
      let start = 0;
      for (const end of ends) {
        received.push(...splitter.push(Buffer.from(stream.subarray(start, end))));
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

test('whole frames are views of the chunk', () => {
  const chunk = Buffer.concat([frameOf(Buffer.from('abcd')), frameOf(Buffer.from('efghi'))]);
  const [first, second] = [...new FrameSplitter().push(chunk)];
  assert.is(first?.buffer, chunk.buffer);
  assert.is(Buffer.from(second ?? []).toString(), 'efghi');
});

test('frames before a lie are still handed out', () => {
  const splitter = new FrameSplitter();
  const received: string[] = [];
  const chunk = Buffer.concat([frameOf(Buffer.from('abcd')), Buffer.from('7fffffff', 'hex')]);
  assert.throws(
    () => {
      for (const frame of splitter.push(chunk)) received.push(Buffer.from(frame).toString());
    },
    (error: unknown) => error instanceof ProtocolError && error.code === 'LENGTH',
  );
  assert.equal(received, ['abcd']);
});

for (const lie of ['00fffffd', '00000003', '80000000', 'ffffffff']) {
  test(`length ${lie} is refused before anything follows`, () => {
    assert.throws(
      () => [...new FrameSplitter().push(Buffer.from(lie, 'hex'))],
      (error: unknown) => error instanceof ProtocolError,
    );
  });
}

test('the largest frame passes', () => {
  const length = 16 * 1024 * 1024 - 4;
  const splitter = new FrameSplitter();
  const first = Buffer.alloc(4);
  first.writeInt32BE(length);
  assert.is([...splitter.push(first)].length, 0);
  let frames: Uint8Array[] = [];
  for (let sent = 0; sent < length; sent += 65_536) {
    frames = [...splitter.push(Buffer.alloc(Math.min(65_536, length - sent)))];
  }
  assert.is(frames[0]?.length, length);
});

test.run();
