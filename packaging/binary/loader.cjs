/**
 * What runs first in the single executable, and in each of its threads: modules come from the assets inside it, as
 * require() in a single executable knows Node's own only. The text of this file, with a call of `begin` behind it, is
 * what Node is given as main program and what `new Worker` is given to evaluate.
 */
'use strict';
const { createHash, randomUUID } = require('node:crypto');
const fs = require('node:fs');
const nodeModule = require('node:module');
const { homedir, tmpdir } = require('node:os');
const { basename, join } = require('node:path');
const { getAsset, getRawAsset } = require('node:sea');
const vm = require('node:vm');
const workers = require('node:worker_threads');

/** Modules seem to lie below the program: no file system has anything there. */
const FOLDER = `${process.execPath}/embedded`;
const ADDON = 'ringmq.node';
const LOADER = 'loader.cjs';
/** What native/load.cjs calls the machine that this was made for. */
const TARGET = 'target';
const TMPDIR = 'RINGMQ_TMPDIR';

const loaded = new Map();
let addonExports;
/** By what threads load the addon again, though the file is gone. */
let addonPath;

/** Runs an embedded module; in a thread, `addon` is the path by which its parent has loaded the addon. */
// biome-ignore lint/correctness/noUnusedVariables: called by the line that is put behind this text.
function begin(name, addon) {
  addonPath = addon;
  return requireEmbedded(name);
}

function requireEmbedded(name) {
  const known = loaded.get(name);
  if (known !== undefined) return known.exports;
  const module = { exports: {} };
  loaded.set(name, module);
  const filename = `${FOLDER}/${name}`;
  const parameters = ['exports', 'require', 'module', '__filename', '__dirname', 'RINGMQ_EMBEDDED'];
  const run = vm.compileFunction(getAsset(name, 'utf8'), parameters, { filename });
  run.call(module.exports, module.exports, requireAny, module, filename, FOLDER, embedded);
  return module.exports;
}

/** Node's own modules, and those that are embedded: by the name of a package, or by that of their file. */
function requireAny(name) {
  if (name === 'node:worker_threads' || name === 'worker_threads') return embeddedWorkers;
  if (name === 'node:module' || name === 'module') return embeddedModule;
  if (nodeModule.isBuiltin(name)) return require(name);
  return requireEmbedded(name.endsWith('.cjs') ? basename(name) : `${name}.package.cjs`);
}

const embeddedModule = { ...nodeModule, createRequire: () => requireAny };

class EmbeddedWorker extends workers.Worker {
  constructor(file, options) {
    const call = `begin(${JSON.stringify(embeddedName(file))}, ${JSON.stringify(pathOfAddon())});`;
    super(`${getAsset(LOADER, 'utf8')}\n${call}`, { ...options, eval: true });
  }
}

/** Piscina's own worker is embedded as a package's file. */
function embeddedName(file) {
  const name = basename(file instanceof URL ? file.pathname : file);
  return name === 'worker.js' ? 'piscina-worker.package.cjs' : name;
}

const embeddedWorkers = Object.defineProperties({}, Object.getOwnPropertyDescriptors(workers));
Object.defineProperty(embeddedWorkers, 'Worker', { value: EmbeddedWorker });

/** What modules get as RINGMQ_EMBEDDED, see src/lib/embedded.ts. */
const embedded = { addon: loadAddon, text: textOf };

function textOf(name) {
  try {
    return getAsset(name, 'utf8');
  } catch {
    return undefined;
  }
}

function loadAddon() {
  if (addonExports === undefined) {
    if (addonPath === undefined) extractAddon();
    else addonExports = open(addonPath);
  }
  return addonExports;
}

function pathOfAddon() {
  loadAddon();
  return addonPath;
}

function open(path) {
  const module = { exports: {} };
  process.dlopen(module, path);
  return module.exports;
}

/** A shared library has to be a file: it is one for as long as it takes to load it. */
function extractAddon() {
  const bytes = Buffer.from(getRawAsset(ADDON));
  const reasons = [];
  for (const folder of foldersToTry()) {
    try {
      openIn(folder, bytes);
      return;
    } catch (error) {
      reasons.push(`${folder}: ${reasonOf(error)}`);
    }
  }
  throw new AddonError(sentenceOf(reasons));
}

class AddonError extends Error {}

function foldersToTry() {
  const chosen = process.env[TMPDIR];
  if (chosen) return [chosen];
  const { XDG_CACHE_HOME: cache, XDG_RUNTIME_DIR: runtime } = process.env;
  // Who has no home, or stands in a folder that was removed, has the others.
  const known = [
    tmpdir,
    () => '/var/tmp',
    () => '/dev/shm',
    () => runtime,
    () => cache || join(homedir(), '.cache'),
  ];
  return [...new Set([...known, process.cwd].map(orNone))].filter(Boolean);
}

function orNone(folder) {
  try {
    return folder();
  } catch {
    return undefined;
  }
}

function openIn(folder, bytes) {
  if (!isSafe(fs.statSync(folder))) throw new Error('others may exchange what is put there');
  const own = join(folder, `ringmq-${process.pid}-${randomUUID()}`);
  const path = join(own, ADDON);
  fs.mkdirSync(own, { mode: 0o700 });
  try {
    fs.writeFileSync(path, bytes, { mode: 0o500 });
    if (digest(fs.readFileSync(path)) !== digest(bytes))
      throw new Error('what was written there is not what is read');
    addonExports = open(path);
    addonPath = lastingName(path);
  } finally {
    fs.rmSync(own, { recursive: true, force: true });
  }
}

/**
 * glibc knows a library by the name under which this process has loaded it. musl opens the file each time to see which
 * it is: there an open descriptor stands for it.
 */
function lastingName(path) {
  if (!getAsset(TARGET, 'utf8').endsWith('-musl')) return path;
  const name = `/proc/self/fd/${fs.openSync(path)}`;
  if (!fs.existsSync(name)) throw new Error('with musl it takes /proc, which is not mounted');
  return name;
}

/** Nobody but this user and root may rename what is in it. */
function isSafe({ uid, mode }) {
  const isOurs = uid === 0 || uid === process.getuid();
  return isOurs && ((mode & 0o1000) !== 0 || (mode & 0o022) === 0);
}

function digest(bytes) {
  return createHash('sha256').update(bytes).digest('hex');
}

function reasonOf({ code, message }) {
  if (/failed to map segment|Operation not permitted/.test(message))
    return 'programs may not be run there (noexec)';
  const words = { EACCES: 'not writable', ENOENT: 'does not exist', EROFS: 'read-only', ENOSPC: 'full' };
  return words[code] ?? message;
}

function sentenceOf(reasons) {
  const [first = ''] = reasons;
  const old = /version [`']((?:GLIBC|GLIBCXX)_[\d.]+)' not found/.exec(first);
  if (old) {
    return `The C library of this system is too old for this program, which needs ${old[1].replace('_', ' ')}: use a newer system, or RingMQ's npm package, which builds what does not fit.`;
  }
  return `RingMQ has to put its native part (${ADDON}) into a folder for a moment, from which it can be loaded, and found none. ${reasons.join('; ')}. Set ${TMPDIR} to a folder that this user may write to, on a file system that is not mounted noexec.`;
}
