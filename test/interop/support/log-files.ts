// The CommitLog files of two stores, compared byte by byte.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';

function logFiles(store: string): string[] {
  return readdirSync(join(store, 'commitlog'))
    .filter((name) => /^\d{20}$/.test(name))
    .sort();
}

/** End of what is in the log but zeros: a record never ends in one. */
function endOf(bytes: Uint8Array): number {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end--;
  return end;
}

/** Position behind the last byte of the log that is not zero. */
export function endOfLog(store: string): number {
  for (const name of logFiles(store).reverse()) {
    const end = endOf(readFileSync(join(store, 'commitlog', name)));
    if (end > 0) return Number(name) + end;
  }
  return 0;
}

/** Both logs hold the same bytes, file by file; returns how many there are but trailing zeros. */
export function sameLogs(store: string, other: string): number {
  const names = logFiles(store).filter((name) => logFiles(other).includes(name));
  assert.ok(names.length > 0, 'the stores have files of the same name');
  let bytes = 0;
  for (const name of names) {
    const [one, two] = [store, other].map((folder) => readFileSync(join(folder, 'commitlog', name)));
    assert.ok(one !== undefined && two !== undefined);
    const at = one.equals(two) ? -1 : one.findIndex((byte, index) => byte !== two[index]);
    assert.is(at, -1, `${name} differs from byte ${at} on; the ends are ${endOf(one)} and ${endOf(two)}`);
    bytes += endOf(one);
  }
  assert.ok(bytes > 0, 'the logs hold something');
  return bytes;
}
