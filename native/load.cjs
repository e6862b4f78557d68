/**
 * Finds the addon that fits this process and loads it, or says what to do. Plain CommonJS, because set-up and install
 * scripts need it before anything is compiled, and have to mean the same file as `src/native/addon.ts`.
 *
 * `build/Release` is what was built on this machine. `prebuilds/<target>` comes with a package, so that it works where
 * npm runs no install scripts. A clone takes no notice of prebuilds, which may be older than its sources.
 */
'use strict';
const { closeSync, existsSync, openSync, readFileSync, readSync } = require('node:fs');
const { join } = require('node:path');

const HEAD_BYTES = 4096;
const packageFolder = join(__dirname, '..');

/** Where a build ends up, and the note of an install script that could not build. */
const BUILT = 'build/Release/ringmq.node';
const NOTE = 'build/not-built.txt';

/**
 * The C library that a program asks for, by the name of its loader among the first bytes: the addon has to be made for
 * the same. Undefined when they do not tell.
 */
function libcOf(head) {
  const text = head.toString('latin1');
  if (/\/ld-musl-/.test(text)) return 'musl';
  return /\/ld(?:-linux|64\.so)/.test(text) ? 'glibc' : undefined;
}

function headOf(path) {
  const head = Buffer.alloc(HEAD_BYTES);
  try {
    const descriptor = openSync(path, 'r');
    try {
      return head.subarray(0, readSync(descriptor, head, 0, HEAD_BYTES, 0));
    } finally {
      closeSync(descriptor);
    }
  } catch {
    return head.subarray(0, 0);
  }
}

/** By the program that runs, which takes a tenth of a millisecond; a report takes fifty times as long. */
function libc() {
  return libcOf(headOf(process.execPath)) ?? (reportsGlibc() ? 'glibc' : 'musl');
}

function reportsGlibc() {
  return process.report.getReport().header.glibcVersionRuntime !== undefined;
}

/** What an addon is made for: it is Node-API 8 and serves every Node.js version from 20 on. */
function target() {
  const { platform, arch } = process;
  return platform === 'linux' ? `${platform}-${arch}-${libc()}` : `${platform}-${arch}`;
}

const prebuilt = (name = target()) => `prebuilds/${name}/ringmq.node`;
const isClone = (folder) => existsSync(join(folder, 'tsconfig.json'));

/** The addon, or an Error whose message says what to do. The parameters are for tests. */
function loadAddon(folder = packageFolder, platform = process.platform, load = require) {
  const failures = [];
  const candidates = [() => BUILT, ...(isClone(folder) ? [] : [prebuilt])];
  for (const candidate of candidates) {
    const path = join(folder, candidate());
    try {
      if (existsSync(path)) return load(path);
    } catch (error) {
      failures.push(`${path} does not load: ${error.message}.`);
    }
  }
  throw new Error(whyNot(folder, platform, failures));
}

function whyNot(folder, platform, failures) {
  if (platform !== 'linux') return elsewhere(platform);
  const remedy = isClone(folder)
    ? `Run "npm run setup" in ${folder}.`
    : `Run "node ${join(folder, 'packaging/install.mjs')}", which builds it or says what is missing.`;
  if (failures.length > 0) {
    const reason = 'It was built for another machine or another C library, or is not whole.';
    return `The native addon cannot be used. ${failures.join(' ')} ${reason} ${remedy}`;
  }
  return [`The native addon is not built for ${target()}.`, noteOf(folder), remedy].filter(Boolean).join(' ');
}

/** What the install script has left behind when it could not build. */
function noteOf(folder) {
  try {
    return readFileSync(join(folder, NOTE), 'utf8').trim();
  } catch {
    return '';
  }
}

/** What to do where there is no Linux. */
function elsewhere(platform) {
  const name = { darwin: 'macOS', win32: 'Windows' }[platform] ?? platform;
  const place = platform === 'win32' ? 'in WSL2 or in a Linux container' : 'in a Linux container';
  return `RingMQ needs Linux: its native addon is made of Linux system calls. On ${name}, run it ${place} (for example of the image node:24).`;
}

module.exports = { BUILT, NOTE, elsewhere, isClone, libcOf, loadAddon, prebuilt, target };
