/** Compiles the starter and puts it before the program; see starter.cc. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SetupError } from '../lib/errors.mjs';
import { run } from '../lib/exec.mjs';
import { root } from '../lib/paths.mjs';

/** Pages are 4 KiB here and 64 KiB on some AArch64: the program begins at a multiple of both. */
const ALIGNMENT = 64 * 1024;
/** First word of `kPayload`; behind it come the program's offset and the size of the whole file. */
const MARK = 0x52494e474d515041n;
const GLIBC_NEEDED = /GLIBC_2\.(\d+)/g;

const FLAGS = [
  ...['-x', 'c++', '-std=c++17', '-Os', '-Wall', '-Wextra', '-nostdlib', '-ffreestanding', '-fno-builtin'],
  ...['-fPIE', '-fvisibility=hidden', '-fno-stack-protector', '-fno-exceptions', '-fno-rtti'],
  ...['-fno-tree-loop-distribute-patterns', '-fno-asynchronous-unwind-tables'],
  // The kernel starts it without a loader, and it needs none: no address in it has to be adjusted.
  ...['-pie', '-Wl,--no-dynamic-linker', '-Wl,-z,text', '-Wl,-z,noexecstack', '-Wl,--build-id=none', '-s'],
];

/** Writes both into one executable file. */
export async function putStarterBefore(program, output, work) {
  const body = readFileSync(program);
  const minor = glibcMinorOf(body, readFileSync(join(work, 'ringmq.node')));
  const starter = await compile(join(work, 'starter'), minor, await librariesOf(program));
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
async function compile(output, glibcMinor, libraries) {
  const source = join(root, 'packaging/binary/starter.cc');
  const compiler = process.env.CXX || 'g++';
  const args = [
    ...FLAGS,
    `-DRINGMQ_GLIBC_MINOR=${glibcMinor}`,
    source,
    '-o',
    output,
    '-Wl,--no-as-needed',
    ...libraries.map((name) => `-l:${name}`),
  ];
  const { ok, output: said } = await run(compiler, args);
  if (!ok) throw new SetupError(`${said}\nThe starter of the executable does not compile; see above.`);
  return readFileSync(output);
}
