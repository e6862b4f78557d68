import { existsSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { environmentWithout, run } from '../lib/exec.mjs';
import { root } from '../lib/paths.mjs';
import { contentsOf, readStamp, writeStamp } from '../lib/stamps.mjs';
import { COMPILER, toolsSentence } from '../lib/tools.mjs';

const folder = join(root, 'node_modules/mmap-io');
const packagedPrefix = join(root, '.cache/node-headers');
const { platform, arch, versions } = process;
/** It is made of V8's headers, so each Node.js version takes a build of its own. */
const fingerprint = () => `${versions.modules} ${arch} ${contentsOf('node_modules/mmap-io/package.json')}`;
const isBuilt = () => existsSync(join(folder, 'build/Release/mmap-io.node'));

/**
 * mmap-io, which tests take as an independent witness of what our mappings contain. Nothing else needs it, so that it
 * may be missing; a failure is remembered and not tried again until something changes.
 */
export const mmapIo = {
  title: 'building mmap-io for tests and benchmarks',
  isDue: () =>
    existsSync(folder) && readStamp('mmap-io') !== `${fingerprint()} ${isBuilt() ? 'built' : 'failed'}`,
  async perform() {
    const reason = await build();
    writeStamp('mmap-io', `${fingerprint()} ${isBuilt() ? 'built' : 'failed'}`);
    return reason === '' ? 'done' : `not available, tests that compare with it are skipped: ${reason}`;
  },
};

/** Why it failed, or ''. */
async function build() {
  try {
    return await buildWithAnyHeaders();
  } finally {
    // A whole Node.js distribution, and of no use once the addon is built.
    rmSync(packagedPrefix, { recursive: true, force: true });
  }
}

async function buildWithAnyHeaders() {
  const missing = toolsSentence(COMPILER);
  if (missing !== '') return missing;
  // It asks for C++11, which the headers of Node.js 20 do not understand any more; the later flag wins.
  const env = { ...environmentWithout(/^npm_.*_nodedir$/i), CXXFLAGS: `-std=${standard()} -w` };
  let reason = 'no headers of this Node.js version were found';
  for (const findHeaders of [localHeaders, downloadedByGyp, packagedHeaders]) {
    const settings = await findHeaders();
    if (settings === undefined) continue;
    const script = join(root, 'node_modules/node-gyp/bin/node-gyp.js');
    const args = [script, 'rebuild', ...settings, '--jobs=max', '--loglevel=error'];
    const { ok, output } = await run(process.execPath, args, { env, cwd: folder });
    if (ok && isBuilt()) return '';
    reason = firstError(output);
  }
  return reason;
}

/** Headers that are on this machine and belong to the running version. */
function localHeaders() {
  const candidates = [process.env.npm_config_nodedir, '/usr', dirname(dirname(process.execPath))];
  const nodedir = candidates.find((candidate) => candidate && abiOf(candidate) === versions.modules);
  return nodedir && [`--nodedir=${nodedir}`];
}

function abiOf(nodedir) {
  try {
    const header = readFileSync(join(nodedir, 'include/node/node_version.h'), 'utf8');
    return /^#define NODE_MODULE_VERSION (\d+)/m.exec(header)?.[1];
  } catch {
    return undefined;
  }
}

/** node-gyp fetches the headers from nodejs.org, where that can be reached. */
function downloadedByGyp() {
  return [];
}

/** The npm packages of the Node.js binaries carry the headers along: a way in where only a registry can be reached. */
async function packagedHeaders() {
  const name = `node-${platform}-${arch}`;
  const args = [
    'install',
    '--no-save',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    '--prefix',
    packagedPrefix,
  ];
  const { ok } = await run('npm', [...args, `${name}@${versions.node}`]);
  return ok ? [`--nodedir=${join(packagedPrefix, 'node_modules', name)}`] : undefined;
}

function firstError(output) {
  const line = output.split('\n').find((candidate) => /error:|ERR! stack/i.test(candidate));
  return line?.replace('gyp ERR! stack', '').trim() ?? 'node-gyp failed';
}

/** What the headers of this Node.js ask for; mmap-io itself names an older one. */
function standard() {
  return Number(process.versions.node.split('.')[0]) >= 22 ? 'c++20' : 'c++17';
}
