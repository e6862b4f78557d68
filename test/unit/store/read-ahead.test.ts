/** Reading ahead of single reads: the same bytes, by fewer reads where they go on, and by no larger ones elsewhere. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { LogBytes } from '../../../src/store/log/log-bytes.ts';
import { ReadAhead } from '../../../src/store/log/read-ahead.ts';
import { Random } from '../../support/random.ts';

const test = suite('read-ahead');
const FILE = 1 << 20;
const EIO = 5;

/** A log of four files whose bytes tell where they stand, and the reads of it. */
class Log implements LogBytes {
  readonly fileSize = FILE;
  readonly reads: [position: number, length: number][] = [];
  /** Bytes before it are there; what is read of others may become another. */
  settled = 4 * FILE;
  /** A read that touches this byte fails. */
  bad = -1;

  offsetOf(position: number): number {
    return position % FILE;
  }

  copy(position: number, length: number, target: Uint8Array, at: number): number {
    assert.ok(this.offsetOf(position) + length <= FILE, 'within its file');
    this.reads.push([position, length]);
    if (position <= this.bad && this.bad < position + length) return EIO;
    for (let i = 0; i < length; i++) target[at + i] = this.byteAt(position + i);
    return 0;
  }

  byteAt(position: number): number {
    return position < this.settled ? (position * 31 + (position >> 8)) & 0xff : this.reads.length & 0xff;
  }
}

function readers() {
  const log = new Log();
  const reader = new ReadAhead(log, () => log.settled);
  const isRead = (position: number, length: number): boolean => {
    const target = new Uint8Array(length + 2);
    if (reader.copy(position, length, target, 1) !== 0) return false;
    for (let i = 0; i < length; i++) if (target[1 + i] !== log.byteAt(position + i)) return false;
    return target[0] === 0 && target[length + 1] === 0;
  };
  return { log, reader, isRead };
}

test('records that follow each other come many at a time, at several places by turns', () => {
  const { log, isRead } = readers();
  for (let i = 0; i < 500; i++) for (const file of [0, 1, 2]) assert.ok(isRead(file * FILE + i * 1200, 1200));
  assert.ok(log.reads.length < 3 * 15, `${log.reads.length} reads`);
});

test('reads here and there bring no more than they ask for', () => {
  const { log, isRead } = readers();
  for (let i = 0; i < 60; i++) assert.ok(isRead(((i * 37) % 61) * 60_000, 1000));
  assert.is(Math.max(...log.reads.map(([, length]) => length)), 1000);
});

test('any reads bring the bytes that are there, and nothing is kept of what is not settled', () => {
  for (let seed = 0; seed < 50; seed++) {
    const random = new Random(seed);
    const { log, isRead } = readers();
    log.settled = 10_000;
    let at = 0;
    for (let i = 0; i < 400; i++) {
      if (random.chance(0.1)) at = random.int(0, log.settled - 1);
      if (random.chance(0.3)) log.settled = Math.min(4 * FILE, log.settled + random.int(0, 30_000));
      const most = Math.min(FILE - (at % FILE), log.settled - at);
      if (most <= 0) {
        at = 0;
        continue;
      }
      const length = random.int(1, Math.min(most, 5_000));
      assert.ok(isRead(at, length), `seed ${seed}: ${length} bytes at ${at}`);
      at += length + (random.chance(0.2) ? random.int(0, 3_000) : 0);
      if (at >= 4 * FILE) at = 0;
    }
  }
});

test('what cannot be read fails for itself, not for those before it', () => {
  const { log, reader, isRead } = readers();
  log.bad = 40_000;
  for (let at = 0; at + 1000 <= log.bad; at += 1000) assert.ok(isRead(at, 1000), `at ${at}`);
  assert.is(reader.copy(39_500, 1000, new Uint8Array(1000), 0), EIO);
  assert.ok(isRead(41_000, 1000));
  log.bad = -1;
  assert.ok(isRead(39_500, 1000), 'and is read when it can be');
});

test('bytes that were not settled when they were read are read again', () => {
  const { log, reader, isRead } = readers();
  log.settled = 5_000;
  assert.ok(isRead(0, 2_000));
  assert.ok(isRead(2_000, 2_000));
  const before = new Uint8Array(2_000);
  reader.copy(4_000, 2_000, before, 0);
  log.settled = 10_000;
  assert.ok(isRead(4_000, 2_000));
});

test.run();
