// What is durable, dispatched and far behind the tail is let go, chunk by chunk, but not while a backlog is read.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { APPENDED, BACKLOG_READS, DISPATCHED, FLUSHED, Positions } from '../../../src/ring/positions.ts';
import { PageRelease } from '../../../src/store/log/page-release.ts';
import type { Segments } from '../../../src/store/log/segments.ts';

const test = suite('page release');
const MIB = 1024 * 1024;
const FILE = 64 * MIB;
const KEEP = 16 * MIB;

function setUp(keep = KEEP) {
  const released: string[] = [];
  const time = { now: 0 };
  const positions = new Positions();
  const segments = {
    fileSize: FILE,
    offsetOf: (position: number) => position % FILE,
    at: (position: number) => ({
      release: (from: number, length: number) =>
        released.push(`${Math.floor(position / FILE)}:${from / MIB}+${length / MIB}`),
    }),
  } as unknown as Segments;
  const pages = new PageRelease(segments, positions, keep, () => time.now);
  const advance = (appended: number, durable = appended) => {
    positions.set(APPENDED, appended);
    positions.set(FLUSHED, durable);
    positions.set(DISPATCHED, appended);
  };
  const drain = () => {
    while (pages.step());
    return released.splice(0);
  };
  return { positions, time, advance, drain };
}

test('whole chunks behind the kept window go, across files, each once', () => {
  const { advance, drain } = setUp();
  advance(19 * MIB);
  assert.equal(drain(), []);
  advance(28 * MIB);
  assert.equal(drain(), ['0:0+4', '0:4+4', '0:8+4']);
  assert.equal(drain(), []);
  advance(FILE + 22 * MIB);
  assert.equal(drain().at(-1), '1:0+4');
});

test('what is not durable stays, and nothing goes when everything is to stay', () => {
  const { advance, drain } = setUp();
  advance(60 * MIB, 18 * MIB);
  assert.equal(drain(), []);
  const all = setUp(0);
  all.advance(60 * MIB);
  assert.equal(all.drain(), []);
});

test('while a backlog is read, and half a minute after, everything stays', () => {
  const { positions, time, advance, drain } = setUp();
  positions.raise(BACKLOG_READS);
  advance(28 * MIB);
  assert.equal(drain(), []);
  time.now = 29_000;
  advance(32 * MIB);
  assert.equal(drain(), []);
  time.now = 31_000;
  advance(60 * MIB);
  assert.ok(drain().length > 0);
});

test.run();
