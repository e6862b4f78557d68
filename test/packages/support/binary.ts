// What is built for people to install: the single executable and the Debian package.

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { alone } from '../../interop/support/alone.ts';
import { repository } from '../../interop/support/paths.ts';

/** The compiler for other machines makes its C++ library first. */
const BUILD_MS = 1_200_000;

/** Path of the executable for this machine, or for another one. */
export function binary(target?: string): string {
  return built('build-binary.mjs', target === undefined ? [] : ['--target', target]);
}

export function debianPackage(): string {
  return built('build-deb.mjs');
}

/** What a command of `packaging` says that it has built. */
function built(script: string, args: readonly string[] = []): string {
  const { status, stdout, stderr } = alone(() =>
    spawnSync(process.execPath, [join(repository, 'packaging', script), ...args], {
      encoding: 'utf8',
      timeout: BUILD_MS,
    }),
  );
  if (status !== 0) throw new Error(`${script} has failed:\n${stdout}\n${stderr}`);
  return /^(\S+): .*sha256 /m.exec(stdout)?.[1] as string;
}

/** The sum that was written beside it. */
export function sumOf(path: string): string {
  return readFileSync(`${path}.sha256`, 'utf8').split(' ')[0] as string;
}
