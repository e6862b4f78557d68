/** What master and slave say to each other, byte for byte as in RocketMQ's DefaultHAConnection and DefaultHAClient. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  CHUNK_HEAD_BYTES,
  chunkLength,
  chunkPosition,
  REPORT_BYTES,
  readReport,
  writeChunkHead,
  writeReport,
} from '../../../src/protocol/replication-frames.ts';

const test = suite('replication frames');

const bytesOf = (view: DataView) => Buffer.from(view.buffer).toString('hex');

test('a report is the position, eight bytes, big-endian', () => {
  const view = new DataView(new ArrayBuffer(REPORT_BYTES));
  writeReport(view, 0, 0x01_0203_0405);
  assert.is(bytesOf(view), '0000000102030405');
  assert.is(readReport(view, 0), 0x01_0203_0405);
});

test("a chunk's head is position and length, twelve bytes, big-endian", () => {
  const view = new DataView(new ArrayBuffer(CHUNK_HEAD_BYTES));
  writeChunkHead(view, 0, 1_073_741_824, 32_768);
  assert.is(bytesOf(view), '000000004000000000008000');
  assert.equal([chunkPosition(view, 0), chunkLength(view, 0)], [1_073_741_824, 32_768]);
});

test('they stand anywhere in a buffer, and touch nothing beside them', () => {
  const view = new DataView(new ArrayBuffer(CHUNK_HEAD_BYTES + 6));
  for (let at = 0; at < view.byteLength; at++) view.setUint8(at, 0xee);
  writeChunkHead(view, 3, 7, 9);
  assert.is(bytesOf(view), 'eeeeee000000000000000700000009eeeeee');
  writeReport(view, 5, 0);
  assert.is(bytesOf(view), 'eeeeee0000000000000000000000 09eeeeee'.replace(' ', ''));
});

test('the largest positions, and what no master or slave should say, come through as they are', () => {
  const view = new DataView(new ArrayBuffer(CHUNK_HEAD_BYTES));
  for (const position of [0, 1, 2 ** 32, Number.MAX_SAFE_INTEGER, -1, -(2 ** 40), Number.MIN_SAFE_INTEGER]) {
    writeReport(view, 0, position);
    assert.is(readReport(view, 0), position);
  }
  view.setBigInt64(0, -(2n ** 63n));
  view.setInt32(8, -1);
  assert.equal([chunkPosition(view, 0), chunkLength(view, 0)], [-(2 ** 63), -1]);
});

test.run();
