/** The file system of the store: which one, how full, how fast it makes a write durable. */
import { closeSync, existsSync, fdatasyncSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DEFAULT_STORE_OPTIONS } from '../../../store/options.ts';
import { bad, type Finding, fine, poor, unknown } from './finding.ts';

/** Magic numbers of statfs(2). */
const FILE_SYSTEMS: ReadonlyMap<number, string> = new Map([
  [0xef53, 'ext4'],
  [0x58465342, 'xfs'],
  [0x9123683e, 'btrfs'],
  [0x01021994, 'tmpfs'],
  [0x794c7630, 'overlayfs'],
  [0x6969, 'NFS'],
  [0xff534d42, 'CIFS'],
  [0xfe534d42, 'SMB'],
  [0x65735546, 'FUSE'],
  [0x2fc12fc1, 'ZFS'],
  [0xf2f52010, 'F2FS'],
  [0x01021997, '9p'],
  [0x00c36400, 'Ceph'],
]);
const TRIED: ReadonlySet<string> = new Set(['ext4', 'xfs', 'btrfs']);
const REMOTE: ReadonlySet<string> = new Set(['NFS', 'CIFS', 'SMB', '9p', 'Ceph']);

/** The store, or the nearest folder above it that there is. */
export function existingFolder(store: string): string {
  let folder = store;
  while (!existsSync(folder) && dirname(folder) !== folder) folder = dirname(folder);
  return folder;
}

/** `type`: a magic number of statfs. */
export function fileSystemFinding(folder: string, type = statfsSync(folder).type): Finding {
  const what = 'file system';
  const name = FILE_SYSTEMS.get(type >>> 0);
  const found = `${folder} is on ${name ?? `one of type 0x${(type >>> 0).toString(16)}`}`;
  if (name === undefined) return unknown(what, `${found}, with which nobody has tried it`);
  if (TRIED.has(name)) return fine(what, found);
  if (REMOTE.has(name))
    return bad(
      what,
      found,
      'Locks, mappings and syncs of network file systems depend on server and options: put the store on a local disk.',
    );
  if (name === 'tmpfs')
    return poor(what, found, 'It is memory: a reboot takes all messages. Put the store on a disk.');
  if (name === 'overlayfs')
    return poor(
      what,
      found,
      "It is the container's own layer and goes with the container: mount a volume for the store.",
    );
  return poor(what, found, 'The broker works there as far as is known, slower than on ext4 or xfs.');
}

export interface Space {
  bsize: number;
  blocks: number;
  bfree: number;
  bavail: number;
}

export function spaceFinding(
  folder: string,
  { bsize, blocks, bfree, bavail }: Space = statfsSync(folder),
): Finding {
  const what = 'disk space';
  const used = Math.round(((blocks - bfree) * 100) / Math.max(1, blocks - bfree + bavail));
  const found = `${used} % used, ${((bavail * bsize) / 2 ** 30).toFixed(1)} GiB free`;
  const { diskMaxUsedSpaceRatio, diskSpaceCleanForciblyRatio, diskSpaceWarningLevelRatio } =
    DEFAULT_STORE_OPTIONS;
  if (used >= diskSpaceWarningLevelRatio)
    return bad(
      what,
      found,
      `Above ${diskSpaceWarningLevelRatio} % (diskSpaceWarningLevelRatio) sends are refused: make room.`,
    );
  if (used >= diskSpaceCleanForciblyRatio)
    return bad(
      what,
      found,
      `Above ${diskSpaceCleanForciblyRatio} % (diskSpaceCleanForciblyRatio) the oldest messages go whatever their age: make room.`,
    );
  if (used >= diskMaxUsedSpaceRatio)
    return poor(
      what,
      found,
      `Above ${diskMaxUsedSpaceRatio} % (diskMaxUsedSpaceRatio) expired messages go at any hour, and at ${diskSpaceCleanForciblyRatio} % others too: make room.`,
    );
  return fine(what, found);
}

const BLOCK_BYTES = 4096;
const MOST_SYNCS = 100;
const MOST_MS = 2000;
const SLOW_MS = 10;
const VERY_SLOW_MS = 50;

/** Ms of each of some syncs of 4 KiB, for two seconds at most. Throws what the file system throws. */
export function measureSyncs(folder: string): number[] {
  const path = join(folder, `.ringmq-doctor-${process.pid}`);
  const file = openSync(path, 'wx', 0o600);
  try {
    const block = Buffer.alloc(BLOCK_BYTES, 1);
    const times: number[] = [];
    const end = performance.now() + MOST_MS;
    while (times.length < MOST_SYNCS && performance.now() < end) {
      const from = performance.now();
      writeSync(file, block, 0, BLOCK_BYTES, times.length * BLOCK_BYTES);
      fdatasyncSync(file);
      times.push(performance.now() - from);
    }
    return times;
  } finally {
    closeSync(file);
    rmSync(path, { force: true });
  }
}

export function syncFindingOf(folder: string, measure = measureSyncs): Finding {
  const what = 'disk sync';
  let times: number[];
  try {
    times = measure(folder).sort((a, b) => a - b);
  } catch (error) {
    return bad(
      what,
      `nothing can be written in ${folder} (${(error as Error).message})`,
      'Give the user who starts the broker the right to write there, or choose another --store.',
    );
  }
  const at = (part: number) => times[Math.min(times.length - 1, Math.floor(times.length * part))] ?? 0;
  const [middle, slow] = [at(0.5), at(0.99)];
  const found = `4 KiB are durable after ${middle.toFixed(2)} ms (median of ${times.length}), ${slow.toFixed(2)} ms (p99)`;
  if (middle < SLOW_MS && slow < VERY_SLOW_MS) return fine(what, found);
  return poor(
    what,
    found,
    'Under SYNC_FLUSH every send waits for that: use a faster disk, or ASYNC_FLUSH, under which a power cut may take the last half second.',
  );
}
