// The single executable, made once for all tests of this folder.

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { alone } from '../../interop/support/alone.ts';
import { repository } from '../../interop/support/paths.ts';

const BUILD_MS = 600_000;

/** Its path. */
export function binary(): string {
  const { status, stdout, stderr } = alone(() =>
    spawnSync(process.execPath, [join(repository, 'packaging/build-binary.mjs')], {
      encoding: 'utf8',
      timeout: BUILD_MS,
    }),
  );
  if (status !== 0) throw new Error(`the binary was not built:\n${stdout}\n${stderr}`);
  return /^(\S+): \d+ MiB/m.exec(stdout)?.[1] as string;
}

/** The sum that was written beside it. */
export function sumOf(path: string): string {
  return readFileSync(`${path}.sha256`, 'utf8').split(' ')[0] as string;
}
