/**
 * Which index files are believed. The index is derived from the log: files that are damaged or missing, and those after
 * them, are removed and their keys entered again, so that entries ascend from file to file.
 */
import { join } from 'node:path';
import { readInt64 } from '../../lib/int64.ts';
import type { Disk, Mapping } from '../disk/disk.ts';
import { errnoName } from '../disk/errors.ts';
import type { FollowerRecovery } from '../follower.ts';
import {
  END_PHYSICAL,
  END_TIMESTAMP,
  INDEX_COUNT,
  INDEX_HEADER_BYTES,
  indexFileBytes,
  SLOT_BYTES,
} from '../index/index-layout.ts';
import { listIndexFiles, syncLater } from '../index/key-index.ts';
import { readCheckpoint, writeCheckpoint } from '../log/checkpoint.ts';
import { storePaths } from '../paths.ts';
import type { Beliefs } from './beliefs.ts';
import { type LogFiles, type RecoveryParts, soundStart } from './context.ts';
import { writeFileAgain } from './write-again.ts';

/** The index in recovery. */
export class IndexRecovery implements FollowerRecovery {
  readonly #parts: RecoveryParts;
  readonly #log: LogFiles;

  constructor(parts: RecoveryParts, log: LogFiles) {
    this.#parts = parts;
    this.#log = log;
  }

  recoverFrom(beliefs: Beliefs, _scannedFrom: number, logEnd: number): number {
    const from = dropUnsureIndex(this.#parts, beliefs, this.#log.start, logEnd);
    const lacksKeys = this.#parts.options.messageIndexEnable && from < logEnd;
    return lacksKeys ? soundStart(this.#log, from) : logEnd;
  }
}

type IndexParts = Pick<RecoveryParts, 'disk' | 'options' | 'ledger' | 'warn'>;

/**
 * Removes the index files that cannot be believed, and returns the log position from which keys must be entered again,
 * or `logEnd` when nothing is missing.
 *
 * While the page cache is what it was, and after a clean stop, that is a file of another size, one that the ledger
 * has and the directory has not, one that ends earlier than the ledger says, and one that points behind the log's
 * end. After a power cut the unfinished files were never synced: what their headers say proves nothing, the page may
 * be an old one, or all zeros. Only the files up to the one that the checkpoint calls complete stay then.
 *
 * The checkpoint names that file by the time of its last record. Times that are smaller say nothing, as those of a
 * clock that was wrong are; of several files with that time the oldest is meant, since a later one may not be complete.
 */
export function dropUnsureIndex(
  parts: IndexParts,
  beliefs: Beliefs,
  logStart: number,
  logEnd: number,
): number {
  const { disk, options, ledger, warn } = parts;
  const directory = storePaths.index(options.directory);
  const there = listIndexFiles(disk, directory);
  checkConfiguredSize(parts, directory, there);
  const complete = there.find((name) => {
    const header = headerOf(disk, join(directory, name));
    return header !== undefined && header.endTimestamp === beliefs.completeIndexTime;
  });
  const names = new Set(there);
  for (const [name, end] of ledger?.index ?? []) if (end >= logStart) names.add(name);
  let from = -1;
  let syncedTimestamp = 0;
  // Expired files of the log that came back in a power cut: the index files for them need not have.
  let broken = (ledger?.logStart ?? 0) > logStart ? '' : undefined;
  for (const name of [...names].sort()) {
    const path = join(directory, name);
    const isSynced = complete !== undefined && name <= complete;
    // Files made since the ledger hold what the log's tail has too. One may be missing, so all are made anew.
    const isKnown = ledger === undefined ? beliefs.durableRecord >= 0 : ledger.index.has(name);
    const isNew = !beliefs.clean && !isKnown;
    const file =
      broken === undefined && !isNew
        ? look(parts, beliefs, path, isSynced, ledger?.index.get(name) ?? -1, logEnd)
        : undefined;
    if (file !== undefined && file.problem === undefined) {
      if (isSynced) syncedTimestamp = file.timestamp;
      from = Math.max(from, file.end);
      continue;
    }
    broken ??= name;
    if (file?.problem !== undefined && file.problem !== '') {
      warn(`index file ${name} ${file.problem}: the index is made again from there`);
    }
    disk.remove(path);
  }
  if (broken === undefined) return beliefs.clean || beliefs.pageCacheSurvived ? logEnd : Math.max(from, 0);
  disk.syncDirectory(directory);
  // The checkpoint vouches for files up to one with that time: one that is made again now may have it too, and no sync
  // yet.
  const path = storePaths.checkpoint(options.directory);
  const checkpoint = readCheckpoint(disk, path);
  if (checkpoint.indexTimestamp !== syncedTimestamp) {
    writeCheckpoint(disk, path, { ...checkpoint, indexTimestamp: syncedTimestamp });
  }
  return Math.max(from, 0);
}

/**
 * Throws when the index files have, one like the other, a size that is none of this configuration: then that is wrong,
 * and building the index again could take an hour. A single file of another size is damaged.
 */
function checkConfiguredSize({ disk, options }: IndexParts, directory: string, names: string[]): void {
  const wanted = indexFileBytes({ slots: options.maxHashSlotNum, entries: options.maxIndexNum });
  const sizes = new Set(names.map((name) => disk.size(join(directory, name))).filter((size) => size > 0));
  const [size = 0] = sizes;
  const isWhole = size > INDEX_HEADER_BYTES && (size - INDEX_HEADER_BYTES) % SLOT_BYTES === 0;
  if (sizes.size !== 1 || size === wanted || !isWhole) return;
  throw new Error(
    `All index files in ${directory} have ${size} bytes, not ${wanted}: set maxHashSlotNum and maxIndexNum as they ` +
      'were when these were made, or move them away.',
  );
}

interface IndexFile {
  /** Position of the last record in it, -1 without any. */
  end: number;
  /** Store time of the last record in it, ms. */
  timestamp: number;
  /** Why it cannot be believed; '' when nobody need be told. */
  problem: string | undefined;
}

function look(
  { disk, options }: IndexParts,
  beliefs: Beliefs,
  path: string,
  isSynced: boolean,
  ledgerEnd: number,
  logEnd: number,
): IndexFile {
  const geometry = { slots: options.maxHashSlotNum, entries: options.maxIndexNum };
  const bytes = indexFileBytes(geometry);
  const size = disk.size(path);
  if (size < 0) return { end: -1, timestamp: 0, problem: 'is missing' };
  if (size !== bytes) {
    // One that was being made when the process was killed is empty, and no ledger knows it.
    const isUnmade = size === 0 && ledgerEnd < 0;
    return { end: -1, timestamp: 0, problem: isUnmade ? '' : `has ${size} bytes instead of ${bytes}` };
  }
  const mapping = disk.map(path, bytes);
  if (typeof mapping === 'number')
    return { end: -1, timestamp: 0, problem: `cannot be opened (${errnoName(-mapping)})` };
  try {
    const file = judgeHeader(mapping, geometry.entries, beliefs, isSynced, ledgerEnd, logEnd);
    if (file.problem !== undefined || isSynced) return file;
    const rewritten = beliefs.writeAgain ? writeFileAgain(disk, mapping) : 0;
    const outcome = rewritten < 0 ? rewritten : syncLater(disk, path);
    if (outcome < 0) file.problem = `cannot be written again (${errnoName(-outcome)})`;
    return file;
  } finally {
    mapping.close();
  }
}

function judgeHeader(
  { view }: Mapping,
  entries: number,
  beliefs: Beliefs,
  isSynced: boolean,
  ledgerEnd: number,
  logEnd: number,
): IndexFile {
  const count = view.getInt32(INDEX_COUNT);
  const end = count > 1 ? readInt64(view, END_PHYSICAL) : -1;
  const timestamp = readInt64(view, END_TIMESTAMP);
  if (count > entries || end >= logEnd)
    return { end, timestamp, problem: 'points behind the end of the log' };
  if (isSynced && count > 1) return { end, timestamp, problem: undefined };
  if (!beliefs.clean && !beliefs.pageCacheSurvived) return { end, timestamp, problem: '' };
  return { end, timestamp, problem: end < ledgerEnd ? 'lacks entries' : undefined };
}

/** What the ledger says of the index files that are there now. */
export function indexEnds({ disk, options }: Pick<RecoveryParts, 'disk' | 'options'>): Map<string, number> {
  const directory = storePaths.index(options.directory);
  const ends = new Map<string, number>();
  for (const name of listIndexFiles(disk, directory)) {
    const header = headerOf(disk, join(directory, name));
    if (header !== undefined) ends.set(name, header.endPhysical);
  }
  return ends;
}

interface IndexFileHeader {
  /** Store time of its last record, ms. */
  endTimestamp: number;
  /** Position of its last record. */
  endPhysical: number;
}

/** Undefined for a file that has no records yet, or cannot be read. */
function headerOf(disk: Disk, path: string): IndexFileHeader | undefined {
  const bytes = new Uint8Array(INDEX_HEADER_BYTES);
  const file = disk.open(path, -1);
  if (typeof file === 'number') return undefined;
  const isWhole = file.read(0, bytes, 0, INDEX_HEADER_BYTES) === INDEX_HEADER_BYTES;
  file.close();
  const view = new DataView(bytes.buffer);
  if (!isWhole || view.getInt32(INDEX_COUNT) <= 1) return undefined;
  return { endTimestamp: readInt64(view, END_TIMESTAMP), endPhysical: readInt64(view, END_PHYSICAL) };
}
