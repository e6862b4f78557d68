// Where things lie. Tests run compiled, from dist/test/interop, but Java, Go and the cache belong to the source tree.

import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const repository = findRepository(dirname(fileURLToPath(import.meta.url)));
export const interop = join(repository, 'test', 'interop');
export const cache = join(repository, '.cache', 'interop');

const temporary = new Set<string>();

function findRepository(start: string): string {
  for (let folder = start; folder !== dirname(folder); folder = dirname(folder)) {
    if (existsSync(join(folder, 'package.json'))) return folder;
  }
  throw new Error(`no package.json above ${start}`);
}

export function temporaryFolder(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), `ringmq-interop-${name}-`));
  temporary.add(folder);
  return folder;
}

/** INTEROP_KEEP=1 leaves stores and client logs for a look afterwards. */
export function removeTemporaryFolders(): void {
  if (process.env['INTEROP_KEEP'] === '1') {
    if (temporary.size > 0) console.error(`kept: ${[...temporary].join(' ')}`);
    return;
  }
  for (const folder of temporary) rmSync(folder, { recursive: true, force: true });
  temporary.clear();
}
