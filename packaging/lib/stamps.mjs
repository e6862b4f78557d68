import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './paths.mjs';

const folder = join(root, '.cache', 'stamps');

/** What a finished step was made from, or '' when it never finished. */
export function readStamp(step) {
  try {
    return readFileSync(join(folder, step), 'utf8');
  } catch {
    return '';
  }
}

export function writeStamp(step, fingerprint) {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, step), fingerprint);
}

export function clearStamp(step) {
  rmSync(join(folder, step), { force: true });
}

/** A hash of file contents, or '' when one is missing. */
export function contentsOf(...paths) {
  const hash = createHash('sha256');
  try {
    for (const path of paths) hash.update(readFileSync(join(root, path)));
  } catch {
    return '';
  }
  return hash.digest('hex');
}

/** A hash of names, sizes and times of all files below the paths: cheap enough for every start. */
export function sourcesOf(...paths) {
  const hash = createHash('sha256');
  for (const path of paths) hash.update(listingOf(path));
  return hash.digest('hex');
}

/** A line for each file at or below the path; '' when there is none. */
function listingOf(path) {
  const status = statSync(`${root}/${path}`, { throwIfNoEntry: false });
  if (status === undefined) return '';
  if (!status.isDirectory()) return `${path} ${status.size} ${status.mtimeMs}\n`;
  let listing = '';
  for (const name of readdirSync(`${root}/${path}`).sort()) listing += listingOf(`${path}/${name}`);
  return listing;
}
