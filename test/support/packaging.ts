// The set-up's modules, which are plain JavaScript outside of what the compiler sees.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const PROJECT = fileURLToPath(new URL('../../../', import.meta.url)).replace(/\/$/, '');

/** A module by its path in the project. */
export function packagingModule<Module>(path: string): Promise<Module> {
  return import(new URL(`../../../${path}`, import.meta.url).href) as Promise<Module>;
}

/** Runs with a folder that is gone afterwards. */
export async function inFolder(work: (folder: string) => unknown): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'ringmq-packaging-'));
  try {
    await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
