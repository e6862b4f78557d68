// Builds for other machines: what they are called, and what is made of a program for them.

import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { inFolder, packagingModule } from '../../support/packaging.ts';

interface Target {
  name: string;
  libc: string;
  machine: string;
  triple: string;
}

interface Targets {
  targetNames: string[];
  targetOf(text: string): Target;
  targetArgument(args: string[]): Target | undefined;
}

interface Elf {
  loadedPart(file: Buffer): Buffer;
  withSystemLibraries(file: Buffer): Buffer;
}

interface SymbolHash {
  withSymbolHash(file: Buffer, original: Buffer): Buffer;
}

const { targetArgument, targetNames, targetOf } = await packagingModule<Targets>(
  'packaging/cross/targets.mjs',
);
const { loadedPart, withSystemLibraries } = await packagingModule<Elf>('packaging/binary/elf.mjs');

const { withSymbolHash } = await packagingModule<SymbolHash>('packaging/binary/symbol-hash.mjs');

const test = suite('builds for other machines');
const SECTIONS = 60;

test('a target by its name, with glibc where none is said', () => {
  assert.is(targetOf('linux-arm64').name, 'linux-arm64-glibc');
  assert.is(targetOf('linux-arm64').machine, 'linux-arm64');
  assert.is(targetOf('linux-x64-musl').machine, 'linux-x64-musl');
  assert.equal(
    targetNames.map((name) => targetOf(name).name),
    targetNames,
  );
});

test('a command takes --target and nothing else', () => {
  assert.is(targetArgument([]), undefined);
  assert.is(targetArgument(['--target', 'linux-x64'])?.name, 'linux-x64-glibc');
  assert.is(targetArgument(['--target=linux-x64-musl'])?.name, 'linux-x64-musl');
  for (const args of [
    ['--target'],
    ['linux-x64'],
    ['--target', 'linux-x64', 'more'],
    ['--targets=linux-x64'],
  ])
    assert.throws(
      () => targetArgument(args),
      /^This command takes --target NAME and nothing else; targets are linux-x64-glibc, /,
    );
  for (const name of ['darwin-arm64', 'linux-x64-', 'constructor', ''])
    assert.throws(() => targetOf(name), `There is no target ${name}; targets are linux-x64-glibc, `);
});

test('a program without its symbols runs, and one that is no program is refused', () =>
  inFolder((folder: string) => {
    const whole = readFileSync(process.execPath);
    const part = loadedPart(whole);
    assert.ok(part.length <= whole.length);
    assert.is(part.readUInt16LE(SECTIONS), 0);
    const path = join(folder, 'node');
    writeFileSync(path, part, { mode: 0o755 });
    assert.is(spawnSync(path, ['--version'], { encoding: 'utf8' }).stdout.trim(), process.version);
    assert.throws(() => loadedPart(Buffer.from('#!/bin/sh\n')), /no ELF file/);
  }));

test('libraries of a wheel become those of the system, everything else stays', () => {
  const text =
    'a\0libstdc++-5d72f927.so.6.0.33\0libgcc_s-0cd532bd.so.1\0$ORIGIN/../../x_binaries.libs\0libc.so.6\0';
  const changed = withSystemLibraries(Buffer.from(text));
  assert.is(changed.length, text.length);
  const names = changed.toString().split(/\0+/).filter(Boolean);
  assert.equal(names, ['a', 'libstdc++.so.6', 'libgcc_s.so.1', 'libc.so.6']);
});

test('a table in which addons find nothing is replaced by the one of before, a whole one is not', () => {
  const node = readFileSync(process.execPath);
  assert.is(withSymbolHash(node, node), node);
  // As it was met: a filter and buckets of zeros.
  const damaged = Buffer.from(node);
  damaged.fill(0, hashOf(node) + 16, hashOf(node) + 16 + 64 * 1024);
  const mended = withSymbolHash(damaged, node);
  assert.ok(mended.equals(node) && mended !== damaged);
  assert.throws(() => withSymbolHash(damaged, damaged), /its functions are not found in it any more/);
});

/** Where the table stands, by the section headers, which the code does not use. */
function hashOf(file: Buffer): number {
  const GNU_HASH = 0x6ffffff6;
  const [begin, size, count] = [
    Number(file.readBigUInt64LE(40)),
    file.readUInt16LE(58),
    file.readUInt16LE(60),
  ];
  for (let at = begin; at < begin + count * size; at += size)
    if (file.readUInt32LE(at + 4) === GNU_HASH) return Number(file.readBigUInt64LE(at + 24));
  throw new Error('this Node.js has no such table');
}

test.run();
