/** Node.js, kernel, limits, memory and clock of this machine. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { release, totalmem } from 'node:os';
import { BROKER_SHARE, connectionLimit, parseDescriptorLimit } from '../../../lib/descriptors.ts';
import { now } from '../times.ts';
import { bad, type Finding, fine, poor, unknown } from './finding.ts';

const LEAST_NODE = [20, 18] as const;
/** Open-file-description locks, by which a store is locked. */
const LEAST_KERNEL = [3, 15] as const;
/** By it pages are brought into memory ahead. */
const GOOD_KERNEL = [5, 14] as const;
const GOOD_DESCRIPTORS = 65_535;
const GOOD_MAPS = 65_530;
const LEAST_MEMORY_BYTES = 256 * 1024 * 1024;
const STEP_MS = 20;

type Version = readonly [number, number];

export function nodeFinding(version = process.versions.node): Finding {
  const what = 'Node.js';
  if (isAtLeast(versionOf(version), LEAST_NODE)) return fine(what, version);
  return bad(
    what,
    version,
    `RingMQ needs ${LEAST_NODE.join('.')} or newer: install it, or use the executable, which has its own.`,
  );
}

export function kernelFinding(platform: string = process.platform, version = release()): Finding {
  const what = 'kernel';
  if (platform !== 'linux')
    return bad(
      what,
      platform,
      'A broker runs on Linux only: run it in a Linux container or virtual machine.',
    );
  if (!isAtLeast(versionOf(version), LEAST_KERNEL))
    return bad(
      what,
      `Linux ${version}`,
      `Stores are locked by what Linux has from ${LEAST_KERNEL.join('.')} on: use a newer system.`,
    );
  if (isAtLeast(versionOf(version), GOOD_KERNEL)) return fine(what, `Linux ${version}`);
  return poor(
    what,
    `Linux ${version}`,
    `Before ${GOOD_KERNEL.join('.')} pages of new files are not brought into memory ahead, so some sends take longer.`,
  );
}

function versionOf(text: string): Version {
  const [, major, minor] = /^(\d+)\.(\d+)/.exec(text) ?? [];
  return [Number(major ?? 0), Number(minor ?? 0)];
}

function isAtLeast([major, minor]: Version, [least, leastMinor]: Version): boolean {
  return major > least || (major === least && minor >= leastMinor);
}

/** `limits` as in /proc/self/limits. */
export function descriptorFinding(limits = readText('/proc/self/limits')): Finding {
  const what = 'open files';
  if (limits === undefined) return unknown(what, 'this system does not tell the limit');
  const limit = parseDescriptorLimit(limits);
  const clients = connectionLimit(BROKER_SHARE, limit);
  const found = `${limit === Number.POSITIVE_INFINITY ? 'no limit' : limit}, enough for ${clients} connections`;
  if (limit >= GOOD_DESCRIPTORS) return fine(what, found);
  return poor(
    what,
    found,
    `More clients are refused: raise it for whoever starts the broker (ulimit -n ${GOOD_DESCRIPTORS}, LimitNOFILE=${GOOD_DESCRIPTORS} of a service).`,
  );
}

export function mapFinding(text = readText('/proc/sys/vm/max_map_count')): Finding {
  const what = 'memory maps';
  const count = Number(text?.trim());
  if (text === undefined || !Number.isInteger(count))
    return unknown(what, 'this system does not tell the limit');
  if (count >= GOOD_MAPS) return fine(what, `vm.max_map_count is ${count}`);
  return poor(
    what,
    `vm.max_map_count is ${count}`,
    `Each file of the log and of queues in use takes one: sysctl -w vm.max_map_count=${GOOD_MAPS}.`,
  );
}

const CGROUP_LIMITS = ['/sys/fs/cgroup/memory.max', '/sys/fs/cgroup/memory/memory.limit_in_bytes'];

export function memoryFinding(limits = CGROUP_LIMITS.map(readText), total = totalmem()): Finding {
  const what = 'memory';
  const limit = Math.min(
    total,
    ...limits.map((text) => Number(text?.trim() || Number.NaN)).filter((bytes) => bytes > 0),
  );
  const found = `${(limit / 2 ** 30).toFixed(1)} GiB${limit < total ? ' by the limit of its cgroup' : ''}`;
  if (limit >= LEAST_MEMORY_BYTES) return fine(what, found);
  return poor(
    what,
    found,
    'Beside the process (60 to 100 MB) there is little room for the page cache, from which messages are read: give it 256 MiB at least.',
  );
}

const SYNCHRONIZED = '/run/systemd/timesync/synchronized';
const TIME_DAEMONS = /^(?:chronyd|ntpd|openntpd|systemd-timesyn|ptp4l|phc2sys)/;

/** Whether something keeps the clock right. In a container it is the host's business, and nothing is to be seen. */
export function syncFinding(
  isSynchronized = existsSync(SYNCHRONIZED),
  programs = runningPrograms(),
): Finding {
  const what = 'clock';
  const daemon = programs.find((name) => TIME_DAEMONS.test(name));
  if (isSynchronized) return fine(what, 'synchronized by systemd-timesyncd');
  if (daemon !== undefined) return fine(what, `kept by ${daemon}`);
  return poor(
    what,
    'no program that keeps it right was seen (in a container it runs on the host)',
    'Timed messages, store times and lag in time follow the clock: run chrony or systemd-timesyncd.',
  );
}

function runningPrograms(): string[] {
  try {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map((pid) => readText(`/proc/${pid}/comm`)?.trim() ?? '');
  } catch {
    return [];
  }
}

/** Watches the clock beside one that never steps, until it is asked. */
export class ClockWatch {
  readonly #offset = now() - performance.now();

  finding(offset = now() - performance.now()): Finding {
    const step = offset - this.#offset;
    const what = 'clock steps';
    if (Math.abs(step) < STEP_MS) return fine(what, 'none seen while this ran');
    return poor(
      what,
      `it was set by ${Math.round(step)} ms while this ran`,
      'Two programs may be setting it, or the virtual machine and its host: let one of them do it, in small steps (slew).',
    );
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
