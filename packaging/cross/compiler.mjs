/**
 * The compiler for other machines: Zig, which is clang with the headers and libraries of them all in one archive.
 * PyPI carries it; requirements.txt has the sums of what may come from there.
 */
import { chmodSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SetupError, troubleIn } from '../lib/errors.mjs';
import { run } from '../lib/exec.mjs';
import { root } from '../lib/paths.mjs';
import { unpackWheel } from './wheel.mjs';

const REQUIREMENTS = 'packaging/cross/requirements.txt';
const cache = join(root, '.cache/cross');

export const compilerVersion = /^ziglang==(\S+)/m.exec(readFileSync(join(root, REQUIREMENTS), 'utf8'))[1];

/** Folder of the unpacked archive; downloaded once. */
async function compilerFolder() {
  const folder = join(cache, `zig-${compilerVersion}`);
  if (!existsSync(folder)) await download(folder);
  return join(folder, 'ziglang');
}

async function download(folder) {
  const zig = ['-r', join(root, REQUIREMENTS)];
  await unpackWheel(zig, folder, (unpacked) => chmodSync(join(unpacked, 'ziglang/zig'), 0o755));
}

/** Compiles and links; all paths are absolute. `what` is for the sentence when that fails. */
export async function crossCompile(triple, args, what) {
  const folder = await compilerFolder();
  const objects = join(cache, 'objects');
  const env = { ...process.env, ZIG_GLOBAL_CACHE_DIR: objects, ZIG_LOCAL_CACHE_DIR: objects };
  // Its C++ library is compiled when a target is first asked for, which takes minutes, and kept by what is said of it:
  // seen from its own folder that is the same in every clone.
  const { ok, output } = await run(join(folder, 'zig'), ['c++', '-target', triple, ...args], {
    env,
    cwd: folder,
  });
  if (!ok) throw new SetupError(`${output}\n${troubleIn(output) ?? `${what} does not compile; see above.`}`);
}

/** The arguments that give the kernel's and the C library's headers to what is linked with neither. */
export async function headerArguments({ headers, libc }) {
  const include = join(await compilerFolder(), 'lib/libc/include');
  const folders = [...headers, 'any-linux-any', `generic-${libc}`];
  return folders.flatMap((folder) => ['-isystem', join(include, folder)]);
}

/** What of it is in every addon that it links, as lib/bill-of-materials.mjs takes packages. */
export async function linkedLibraries() {
  const folder = join(await compilerFolder(), 'lib');
  const config = readFileSync(join(folder, 'libcxx/include/__config'), 'utf8');
  const number = Number(/define _LIBCPP_VERSION (\d+)/.exec(config)[1]);
  const version = [number / 10_000, (number / 100) % 100, number % 100].map(Math.floor).join('.');
  return ['libcxx', 'libcxxabi', 'libunwind'].map((name) => ({
    name,
    version,
    license: 'Apache-2.0 WITH LLVM-exception',
    address: `pkg:generic/llvm-${name}@${version}`,
    text: readFileSync(join(folder, name, 'LICENSE.TXT'), 'utf8').trim(),
  }));
}
