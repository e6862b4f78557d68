// A root of Debian whose systemd runs as it does on a machine: process 1 of namespaces of its own. Only the network is
// that of this machine, so that clients here reach what is served there.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Program } from '../../interop/support/program.ts';
import type { DebianRoot, Outcome } from './debian-root.ts';

const BOOT_MS = 60_000;
const LOOK_MS = 200;
const DEVICES = ['null', 'zero', 'full', 'random', 'urandom', 'tty'];
const NAMESPACES = ['--pid', '--mount', '--ipc', '--uts', '--cgroup'];

/** Puts itself into the control group that is named first. */
const IN_GROUP = 'echo $$ > "$1/cgroup.procs"; shift; exec unshare "$@"';

/** Mounts what an init expects, all of it below the root and seen by nobody else, and becomes that init. */
const BOOT = `
  root=$1
  mount --make-rprivate /
  mount --bind "$root" "$root"
  cd "$root"
  mount -t proc proc proc
  mount --bind proc/sys proc/sys
  mount -o remount,bind,ro proc/sys
  mount -t sysfs -o ro sysfs sys
  if [ ! -e /sys/fs/cgroup/systemd ]; then
    mount -t cgroup2 cgroup sys/fs/cgroup
  else
    mount -t tmpfs -o mode=755 tmpfs sys/fs/cgroup
    mkdir sys/fs/cgroup/systemd
    mount -t cgroup -o none,name=systemd cgroup sys/fs/cgroup/systemd
  fi
  for folder in run dev; do mount -t tmpfs -o mode=755 tmpfs $folder; done
  for device in ${DEVICES.join(' ')}; do : > dev/$device; mount --bind /dev/$device dev/$device; done
  mkdir dev/shm dev/pts
  mount -t tmpfs tmpfs dev/shm
  mount -t devpts -o newinstance,ptmxmode=666 devpts dev/pts
  ln -s pts/ptmx dev/ptmx
  exec env -i container=other PATH=/usr/sbin:/usr/bin:/sbin:/bin chroot . /lib/systemd/systemd --system`;

/** Why none can be booted here; undefined where it can. */
export function noBoot(): string | undefined {
  const { status, stderr } = spawnSync('unshare', [...NAMESPACES, '--fork', 'true'], { encoding: 'utf8' });
  return status === 0 ? undefined : `no namespaces for a systemd of its own: ${stderr.trim()}`;
}

export class BootedRoot {
  readonly #program: Program;
  readonly #init: number;
  readonly #group: string;

  private constructor(program: Program, init: number, group: string) {
    this.#program = program;
    this.#init = init;
    this.#group = group;
  }

  /** Its packages hold systemd-sysv. `folder` of `root` must not be used otherwise meanwhile. */
  static async boot(root: DebianRoot): Promise<BootedRoot> {
    const mask = 'ln -sf /dev/null /etc/systemd/system/console-getty.service';
    root.run(`${mask}; rm -f /etc/resolv.conf`);
    const group = controlGroup();
    mkdirSync(group);
    const boot = [...NAMESPACES, '--fork', '--kill-child', 'sh', '-ec', BOOT, 'boot', root.folder];
    const program = new Program('systemd', 'sh', ['-ec', IN_GROUP, 'group', group, ...boot]);
    const end = performance.now() + BOOT_MS;
    for (;;) {
      const init = childOf(program.pid);
      const booted = init === undefined ? undefined : new BootedRoot(program, init, group);
      if (/^(running|degraded)$/m.test(booted?.run('systemctl is-system-running || true').output ?? ''))
        return booted as BootedRoot;
      if (performance.now() > end || program.exitCode !== undefined)
        throw new Error(`systemd did not come up\n${program.tail()}`);
      await sleep(LOOK_MS);
    }
  }

  /** Runs a shell script there. */
  run(script: string): Outcome {
    const enter = [
      '-t',
      String(this.#init),
      '--pid',
      '--mount',
      '--ipc',
      '--uts',
      '--cgroup',
      '--root',
      '--wd=/',
    ];
    const { status, stdout, stderr } = spawnSync(
      'nsenter',
      [...enter, 'env', '--chdir=/', 'sh', '-ec', script],
      {
        encoding: 'utf8',
        timeout: BOOT_MS,
        env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
      },
    );
    return { code: status, output: `${stdout}${stderr}` };
  }

  /** Switches it off: every process in it ends. */
  async off(): Promise<void> {
    await this.#program.kill();
    // What was in it ends a moment later.
    const end = performance.now() + BOOT_MS;
    while (existsSync(this.#group)) {
      try {
        removeGroup(this.#group);
      } catch (error) {
        if (performance.now() > end) throw error;
        await sleep(LOOK_MS);
      }
    }
  }
}

/** A new one below that of this process: systemd takes the one that it finds itself in for the root of all. */
function controlGroup(): string {
  const own = readFileSync('/proc/self/cgroup', 'utf8');
  const [, path = '/'] = /^\d+:name=systemd:(.*)$/m.exec(own) ?? /^0::(.*)$/m.exec(own) ?? [];
  const mounted = existsSync('/sys/fs/cgroup/systemd') ? '/sys/fs/cgroup/systemd' : '/sys/fs/cgroup';
  return join(mounted, path, `ringmq-test-${process.pid}`);
}

function removeGroup(group: string): void {
  for (const entry of readdirSync(group, { withFileTypes: true }))
    if (entry.isDirectory()) removeGroup(join(group, entry.name));
  rmdirSync(group);
}

function childOf(pid: number): number | undefined {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return children === '' ? undefined : Number(children.split(' ')[0]);
}
