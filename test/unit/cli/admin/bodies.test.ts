/** Bodies that clients have compressed: real frames, damaged ones, and those that would fill memory or run on. */
import { deflateSync } from 'node:zlib';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { unpackLz4 } from '../../../../src/cli/admin/bodies/lz4.ts';
import { Damaged, TooMuch } from '../../../../src/cli/admin/bodies/problem.ts';
import { unpack } from '../../../../src/cli/admin/bodies/unpack.ts';
import { unpackZstd } from '../../../../src/cli/admin/bodies/zstd.ts';

const test = suite('compressed bodies');

const LZ4 = 1 << 8;
const ZSTD = 2 << 8;
const ZLIB = 3 << 8;
const MOST = 1024 * 1024;

/** What the frames hold, as `lz4` 1.9 and `zstd` 1.5 have written them. */
const TEXT = `{"items": [${Array(30).fill('"green tea"').join(',')}]}`;
const LONG_TEXT = 'green tea, '.repeat(20_000);
const LZ4_FRAMES = {
  plain: 'BCJNGGBAgiMAAAD/CHsiaXRlbXMiOiBbImdyZWVuIHRlYSIsDAD/RlBlYSJdfQAAAAA=',
  'linked blocks, all checksums':
    'BCJNGHRAvSMAAAD/CHsiaXRlbXMiOiBbImdyZWVuIHRlYSIsDAD/RlBlYSJdfVBeMAUAAAAAWJ4xOA==',
  'with its size': 'BCJNGGxAdAEAAAAAAACFIwAAAP8IeyJpdGVtcyI6IFsiZ3JlZW4gdGVhIiwMAP9GUGVhIl19AAAAAFieMTg=',
};
const STORED_LZ4 = 'BCJNGGRApwUAAIBwbGFpbgAAAABhE6V+';
const ZSTD_FRAMES = {
  plain: 'KLUv/QBYBQEAyHsiaXRlbXMiOiBbImdyZWVuIHRlYSIsXX0BALGuliY=',
  'with its size and checksum': 'KLUv/WR0AAUBAMh7Iml0ZW1zIjogWyJncmVlbiB0ZWEiLF19AQCxrpYmtgwGUA==',
};
const LONG_ZSTD = 'KLUv/QBonAAAWGdyZWVuIHRlYSwgAQDy/86LF0UAAAABAF1bzgsQ';

const bytesOf = (base64: string) => Buffer.from(base64, 'base64');
const textOf = (bytes: Uint8Array) => Buffer.from(bytes).toString();

/** A frame of linked blocks: descriptor without checksums, blocks as they are. */
function lz4Frame(...blocks: readonly (readonly number[])[]): Uint8Array {
  const parts = blocks.flatMap((block) => [block.length & 255, block.length >> 8, 0, 0, ...block]);
  return Uint8Array.from([0x04, 0x22, 0x4d, 0x18, 0x40, 0x40, 0, ...parts, 0, 0, 0, 0]);
}

/** Blocks of three bytes of head and a body; the last one is marked. */
function zstdFrame(windowByte: number, ...blocks: readonly { type: number; body: readonly number[] }[]) {
  const parts = blocks.flatMap(({ type, body }, i) => {
    const head = (body.length << 3) | (type << 1) | (i === blocks.length - 1 ? 1 : 0);
    return [head & 255, (head >> 8) & 255, head >> 16, ...body];
  });
  return Uint8Array.from([0x28, 0xb5, 0x2f, 0xfd, 0, windowByte, ...parts]);
}

test('LZ4 frames', () => {
  for (const [name, frame] of Object.entries(LZ4_FRAMES))
    assert.is(textOf(unpackLz4(bytesOf(frame), MOST)), TEXT, name);
  assert.is(textOf(unpackLz4(bytesOf(STORED_LZ4), MOST)), 'plain');
  const twice = Buffer.concat([bytesOf(STORED_LZ4), bytesOf(LZ4_FRAMES.plain)]);
  assert.is(textOf(unpackLz4(twice, MOST)), `plain${TEXT}`);
  const skipped = Buffer.concat([Uint8Array.of(0x53, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 9, 9), twice]);
  assert.is(textOf(unpackLz4(skipped, MOST)), `plain${TEXT}`);
});

test('blocks of LZ4 refer to those before them, and to nothing else', () => {
  const literals = [0x30, 0x61, 0x62, 0x63]; // abc
  const lastThree = [0x01, 3, 0, 0x10, 0x21]; // five from three back, and !
  assert.is(textOf(unpackLz4(lz4Frame(literals, lastThree), MOST)), 'abcabcab!');
  assert.throws(() => unpackLz4(lz4Frame(lastThree), MOST), /before its beginning/);
  const frames = Buffer.concat([lz4Frame(literals), lz4Frame(lastThree)]);
  assert.throws(() => unpackLz4(frames, MOST), /before its beginning/);
  assert.throws(() => unpackLz4(lz4Frame(literals, [0x01, 0, 0, 0x10, 0x21]), MOST), /before its beginning/);
});

test('Zstandard frames', () => {
  for (const [name, frame] of Object.entries(ZSTD_FRAMES))
    assert.is(textOf(unpackZstd(bytesOf(frame), MOST)), TEXT, name);
  assert.is(textOf(unpackZstd(bytesOf(LONG_ZSTD), MOST)), LONG_TEXT);
});

test('by the bits of the message', () => {
  const text = (frame: Uint8Array, flag: number) => textOf(unpack(frame, flag).bytes);
  assert.is(text(bytesOf(LZ4_FRAMES.plain), LZ4), TEXT);
  assert.is(text(bytesOf(ZSTD_FRAMES.plain), ZSTD), TEXT);
  assert.is(text(deflateSync(TEXT), ZLIB), TEXT);
  assert.is(text(deflateSync(TEXT), 0), TEXT);
  assert.equal(unpack(Uint8Array.of(1), 5 << 8), {
    bytes: Uint8Array.of(1),
    problem: 'compressed by a method that is not known here (5)',
  });
});

test('what is not what it is said to be stays as it is stored, with the reason', () => {
  for (const [flag, name, frame] of [
    [LZ4, 'LZ4', bytesOf(LZ4_FRAMES.plain)],
    [ZSTD, 'Zstandard', bytesOf(ZSTD_FRAMES.plain)],
    [ZLIB, 'zlib', deflateSync(TEXT)],
  ] as const) {
    const no = new RegExp(`^said to be compressed by ${name}, and is not: `);
    assert.match(unpack(Buffer.from('hello, world'), flag).problem ?? '', no);
    assert.equal(unpack(Buffer.from('hello'), flag).bytes, Buffer.from('hello'));
    for (let length = 0; length < frame.length; length++)
      assert.match(unpack(frame.subarray(0, length), flag).problem ?? '', no, `${name}: ${length} bytes`);
  }
  assert.throws(() => unpackZstd(Buffer.concat([bytesOf(LONG_ZSTD), Uint8Array.of(0)]), MOST), /its end/);
  const dictionary = bytesOf(ZSTD_FRAMES.plain);
  dictionary[4] = 1;
  assert.throws(() => unpackZstd(dictionary, MOST), /needs a dictionary/);
});

test('any single byte may be wrong: no other error, and no more bytes than allowed', () => {
  for (const [flag, frame] of [
    [LZ4, bytesOf(LZ4_FRAMES['linked blocks, all checksums'])],
    [ZSTD, bytesOf(ZSTD_FRAMES['with its size and checksum'])],
  ] as const)
    for (let at = 0; at < frame.length; at++)
      for (const bits of [0x01, 0x10, 0x80, 0xff]) {
        const wrong = Buffer.from(frame);
        wrong[at] = (wrong[at] as number) ^ bits;
        const { bytes, problem } = unpack(wrong, flag, MOST);
        assert.ok(problem !== undefined || bytes.length <= MOST, `${at} ^ ${bits}`);
        assert.ok(problem === undefined || bytes === wrong);
      }
});

test('bombs are refused before they fill the memory', () => {
  const zeros = deflateSync(Buffer.alloc(MOST + 1));
  const said = 'compressed by zlib, and more than 1 MiB when it is unpacked: shown as it is stored';
  assert.equal(unpack(zeros, ZLIB, MOST), { bytes: zeros, problem: said });
  // A match of 255 bytes for each byte of its length.
  const lz4 = lz4Frame([0x1f, 0x61, 1, 0, ...Array(5_000).fill(255), 0, 0x10, 0x21]);
  assert.match(unpack(lz4, LZ4, MOST).problem ?? '', /^compressed by LZ4, and more than 1 MiB/);
  assert.is(unpack(lz4, LZ4, 2 * MOST).bytes.length, 1 + 15 + 4 + 5_000 * 255 + 1);
  // Runs: four bytes for 128 KiB.
  const run = { type: 1, body: [0x61] };
  const runs = zstdFrame(0x38, ...Array(10).fill(run));
  const blockHead = (131_072 << 3) | (1 << 1);
  for (let i = 0; i < 10; i++)
    runs.set([(blockHead & 255) | (i === 9 ? 1 : 0), (blockHead >> 8) & 255, blockHead >> 16], 6 + 4 * i);
  assert.throws(() => unpackZstd(runs, MOST), /more than 1 MiB/);
  assert.is(unpackZstd(runs, 2 * MOST).length, 10 * 131_072);
  // A size or a window that is only said.
  const big = bytesOf('KLUv/aD/////AQAA');
  assert.throws(
    () => unpackZstd(big, MOST),
    (error: Error) => error instanceof TooMuch,
  );
  assert.throws(
    () => unpackZstd(zstdFrame(0xf8, { type: 0, body: [] }), MOST),
    /window of more than 128 MiB/,
  );
});

test('what would be copied for minutes is given up', () => {
  // 98,047 matches of 65,539 bytes each, of which no byte counts, in each of a hundred blocks.
  const block = { type: 2, body: [0x00, 255, 255, 255, 0x54, 0, 0, 52, 0xff, 0xff, 0xff, 0xff, 1] };
  const frame = zstdFrame(0x58, ...Array(100).fill(block));
  let thrown: unknown;
  try {
    unpackZstd(frame, MOST, 50);
  } catch (error) {
    thrown = error;
  }
  assert.ok(thrown instanceof TooMuch, String(thrown));
  assert.match((thrown as Error).message, /^not unpacked after 0\.05 s$/);
  assert.not(thrown instanceof Damaged);
});

test.run();
