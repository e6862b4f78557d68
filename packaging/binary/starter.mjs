/** Compiles the starter and puts it before the program; see starter.cc. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crossCompile, headerArguments } from '../cross/compiler.mjs';
import { SetupError } from '../lib/errors.mjs';
import { run } from '../lib/exec.mjs';
import { root } from '../lib/paths.mjs';

/** Pages are 4 KiB here and 64 KiB on some AArch64: the program begins at a multiple of both. */
const ALIGNMENT = 64 * 1024;
/** First word of `kPayload`; behind it come the program's offset and the size of the whole file. */
const MARK = 0x52494e474d515041n;
const SOURCE = join(root, 'packaging/binary/starter.cc');
const AS_NEEDED = '-Wl,--no-as-needed';
const GLIBC_NEEDED = /GLIBC_2\.(\d+)/g;

const FLAGS = [
  ...['-x', 'c++', '-std=c++17', '-Os', '-Wall', '-Wextra', '-nostdlib', '-ffreestanding', '-fno-builtin'],
  ...['-fPIE', '-fvisibility=hidden', '-fno-stack-protector', '-fno-exceptions', '-fno-rtti'],
  '-fno-asynchronous-unwind-tables',
  // The kernel starts it without a loader, and it needs none: no address in it has to be adjusted.
  ...['-pie', '-Wl,--no-dynamic-linker', '-Wl,-z,noexecstack', '-Wl,--build-id=none', '-s'],
];
/** Of GCC alone. */
const GCC_FLAGS = ['-fno-tree-loop-distribute-patterns', '-Wl,-z,text'];

/** Writes both into one executable file. `addon` is the one inside; `target` is another machine than this one. */
export async function putStarterBefore(program, output, { work, addon, target }) {
  const body = readFileSync(program);
  const needs =
    target?.libc === 'musl' ? 'RINGMQ_MUSL' : `RINGMQ_GLIBC_MINOR=${glibcMinorOf(body, readFileSync(addon))}`;
  const libraries = await librariesOf(program);
  const flags = [...FLAGS, `-D${needs}`, SOURCE, '-o', join(work, 'starter')];
  if (target === undefined) await compile([...flags, ...GCC_FLAGS, ...named(libraries)]);
  else await compileFor(target, flags, await emptyLibraries(target, libraries, work));
  const starter = readFileSync(join(work, 'starter'));
  const offset = Math.ceil(starter.length / ALIGNMENT) * ALIGNMENT;
  const mark = Buffer.alloc(8);
  mark.writeBigUInt64LE(MARK);
  const at = starter.indexOf(mark);
  if (at < 0 || starter.indexOf(mark, at + 1) >= 0)
    throw new SetupError('the starter has not one place for its numbers.');
  starter.writeBigUInt64LE(BigInt(offset), at + 8);
  starter.writeBigUInt64LE(BigInt(offset + body.length), at + 16);
  const gap = Buffer.alloc(offset - starter.length);
  writeFileSync(output, Buffer.concat([starter, gap, body]), { mode: 0o755 });
}

/** Of the versions of glibc that the files name, the newest. */
function glibcMinorOf(...files) {
  const found = files.flatMap((bytes) => [...bytes.toString('latin1').matchAll(GLIBC_NEEDED)]);
  return Math.max(...found.map(([, minor]) => Number(minor)));
}

/** What the program asks its loader for. */
async function librariesOf(program) {
  const { ok, output } = await run('readelf', ['--dynamic', '--wide', program]);
  if (!ok) throw new SetupError(`${output}\nThe libraries of Node.js could not be read; see above.`);
  return [...output.matchAll(/\(NEEDED\).*\[(.*)\]/g)]
    .map(([, name]) => name)
    .filter((name) => !name.startsWith('ld-'));
}

/** It names the libraries of the program too, so that ldd shows them. */
const named = (libraries) => [AS_NEEDED, ...libraries.map((name) => `-l:${name}`)];

async function compile(args) {
  const { ok, output } = await run(process.env.CXX || 'g++', args);
  if (!ok) throw new SetupError(`${output}\nThe starter of the executable does not compile; see above.`);
}

async function compileFor(target, flags, libraries) {
  const args = [...flags, ...(await headerArguments(target)), '-x', 'none', AS_NEEDED, ...libraries];
  await crossCompile(target.triple, args, 'The starter of the executable');
}

/** The linker wants to see what it shall name: libraries of these names with nothing in them. */
async function emptyLibraries(target, names, work) {
  const paths = names.map((name) => join(work, name));
  writeFileSync(join(work, 'empty.c'), '');
  for (const [at, path] of paths.entries()) {
    const args = [
      '-nostdlib',
      '-shared',
      '-x',
      'c',
      join(work, 'empty.c'),
      `-Wl,-soname,${names[at]}`,
      '-o',
      path,
    ];
    await crossCompile(target.triple, args, names[at]);
  }
  return paths;
}
