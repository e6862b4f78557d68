/** Builds the addon for another machine, by what binding.gyp says of it. */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import headers from '../../native/headers.cjs';
import loader from '../../native/load.cjs';
import { root } from '../lib/paths.mjs';
import { contentsOf, readStamp, writeStamp } from '../lib/stamps.mjs';
import { compilerVersion, crossCompile } from './compiler.mjs';

/** Of the clone, which takes no notice of them; packages have them in `prebuilds`. */
const pathOf = ({ name }) => join(root, 'dist', loader.prebuilt(name));
const stampOf = ({ name }) => `prebuild-${name}`;

function fingerprint() {
  const sources = readdirSync(join(root, 'native')).map((name) => `native/${name}`);
  const own = ['binding.gyp', 'packaging/cross/addon.mjs', 'node_modules/node-addon-api/package.json'];
  return `${compilerVersion} ${contentsOf(...sources.sort(), ...own)}`;
}

/** Its path when it was built of the sources as they are, else undefined. */
export function builtFor(target) {
  const path = pathOf(target);
  return existsSync(path) && readStamp(stampOf(target)) === fingerprint() ? path : undefined;
}

/** As a step of the set-up. */
export function crossAddonStep(target) {
  return {
    title: `building the native addon for ${target.name}`,
    needs: 'python',
    isDue: () => builtFor(target) === undefined,
    perform: () => build(target),
  };
}

async function build(target) {
  const made = fingerprint();
  const path = pathOf(target);
  const fresh = `${path}.fresh`;
  mkdirSync(dirname(path), { recursive: true });
  try {
    await crossCompile(target.triple, [...argumentsOf(), '-o', fresh], `The native addon for ${target.name}`);
    renameSync(fresh, path);
  } finally {
    rmSync(fresh, { force: true });
  }
  writeStamp(stampOf(target), made);
}

function argumentsOf() {
  const { sources, defines, cflags, cflags_cc, ldflags } = recipe();
  const include = headers.headerFolders().flatMap((folder) => ['-I', folder]);
  // No paths of this machine and no symbols: neither is of use elsewhere, and the bytes are the same everywhere.
  const bare = ['-shared', '-s', '-g0', '-Wl,--build-id=none'];
  return [
    ...bare,
    ...sources.map((path) => join(root, path)),
    ...include,
    ...defines.map((name) => `-D${name}`),
    ...cflags,
    ...cflags_cc,
    ...ldflags,
  ];
}

/** The first target of binding.gyp, which is JSON but for its comments. */
function recipe() {
  const text = readFileSync(join(root, 'binding.gyp'), 'utf8').replace(/^\s*#.*$/gm, '');
  return JSON.parse(text).targets[0];
}
