/** The ends of two CommitLogs: the same, different, and where a slave does not have them. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { requireSameTail } from '../../../bench/rocketmq/log-tail.ts';

const MIB = 2 ** 20;
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'log-tail-'));
test.after(() => fs.rmSync(folder, { recursive: true }));

let stores = 0;

/** A log whose byte at position p is p modulo 251, in files of that size, but for the bytes that are given. */
function store(fileBytes: number, from: number, to: number, other: Record<number, number> = {}): string {
  const root = path.join(folder, String(++stores));
  fs.mkdirSync(path.join(root, 'commitlog', 'ringmq.cut'), { recursive: true });
  for (let start = from; start < to; start += fileBytes) {
    const bytes = Buffer.alloc(fileBytes);
    for (let at = 0; at < fileBytes; at++) bytes[at] = other[start + at] ?? (start + at) % 251;
    fs.writeFileSync(path.join(root, 'commitlog', String(start).padStart(20, '0')), bytes);
  }
  return root;
}

test('the same bytes in files of the same size, more than one chunk', () => {
  const [one, two] = [store(3 * MIB, 0, 6 * MIB), store(3 * MIB, 0, 6 * MIB)];
  assert.is(requireSameTail(one, two, 4 * MIB + 5, 3 * MIB), 3 * MIB);
});

test('what lies behind the end or before the tail may differ', () => {
  const one = store(MIB, 0, 2 * MIB);
  const two = store(MIB, 0, 2 * MIB, { 1000: 255, [MIB + 500]: 255 });
  assert.is(requireSameTail(one, two, MIB + 500, MIB - 1000), MIB - 1000);
});

test('a log that is shorter than the tail is compared from its beginning', () => {
  assert.is(requireSameTail(store(MIB, MIB, 2 * MIB), store(MIB, 0, 2 * MIB), MIB + 7, 64 * MIB), 7);
});

test('a difference is told by its place', () => {
  const at = MIB + 500;
  const [one, two] = [store(MIB, 0, 2 * MIB), store(MIB, 0, 2 * MIB, { [at]: 255 })];
  assert.throws(
    () => requireSameTail(one, two, at + 10, MIB),
    `the logs differ at position ${at}, 10 bytes before their end`,
  );
  assert.throws(() => requireSameTail(one, two, at + 1, 1), /differ/);
});

test('files of another size are no difference', () => {
  assert.is(requireSameTail(store(MIB, 0, 3 * MIB), store(3 * MIB, 0, 3 * MIB), 3 * MIB, 2 * MIB), 2 * MIB);
});

test('a slave without that part of the log has no same tail', () => {
  const [one, two] = [store(MIB, 0, 2 * MIB), store(MIB, MIB, 2 * MIB)];
  assert.throws(() => requireSameTail(one, two, 2 * MIB, 2 * MIB), /nothing at position 0$/);
  assert.throws(() => requireSameTail(one, store(MIB, 0, MIB), 2 * MIB, 10), /nothing at position/);
  fs.mkdirSync(path.join(folder, 'empty', 'commitlog'), { recursive: true });
  assert.throws(() => requireSameTail(one, path.join(folder, 'empty'), MIB, 10), /no file of a log/);
});

test.run();
