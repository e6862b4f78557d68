// A root file system with nothing in it but a program and the shared libraries that ldd names.

import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Installed } from '../../interop/support/servers.ts';

/** Makes it in an empty folder. */
export function bareRoot(folder: string, program: string): Installed {
  chmodSync(folder, 0o755);
  for (const name of ['tmp', 'home']) mkdirSync(join(folder, name), { recursive: true });
  chmodSync(join(folder, 'tmp'), 0o1777);
  for (const library of librariesOf(program)) put(library, join(folder, library));
  const inside = `/${basename(program)}`;
  put(program, join(folder, inside));
  return { command: [...rootChange(), folder, inside], root: folder };
}

/** Whoever is not root becomes it in a namespace of its own. */
function rootChange(): string[] {
  return process.getuid?.() === 0 ? ['chroot'] : ['unshare', '--map-root-user', '--root'];
}

function librariesOf(program: string): string[] {
  const { stdout } = spawnSync('ldd', [program], { encoding: 'utf8' });
  return [...stdout.matchAll(/(\/\S+) \(0x/g)].map(([, path]) => path as string);
}

function put(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true });
  copyFileSync(from, to);
}
