/**
 * Which index files are believed. The index is derived from the log: files that are damaged or missing, and those after
 * them, are removed and their keys entered again, so that entries ascend from file to file.
 */
import { join } from 'node:path';
import { readInt64 } from '../../lib/int64.ts';
import type { Mapping } from '../disk/disk.ts';
import {
  END_PHYSICAL,
  END_TIMESTAMP,
  INDEX_COUNT,
  INDEX_HEADER_BYTES,
  indexFileBytes,
} from '../index/index-layout.ts';
import { listIndexFiles } from '../index/key-index.ts';
import { readCheckpoint, writeCheckpoint } from '../log/checkpoint.ts';
import { storePaths } from '../paths.ts';
import type { Beliefs } from './beliefs.ts';
import type { RecoveryParts } from './context.ts';
import { writeFileAgain } from './write-again.ts';

/**
 * Removes the index files that cannot be believed, and returns the log position from which keys must be entered again,
 * or `logEnd` when nothing is missing.
 *
 * While the page cache is what it was, and after a clean stop, that is a file of another size, one that the ledger
 * has and the directory has not, one that ends earlier than the ledger says, and one that points behind the log's
 * end. After a power cut the unfinished files were never synced: what their headers say proves nothing, the page may
 * be an old one, or all zeros. Only files that were full and synced by the checkpoint's word stay then.
 */
export function dropUnsureIndex(
  parts: RecoveryParts,
  beliefs: Beliefs,
  logStart: number,
  logEnd: number,
): number {
  const { disk, options, ledger, warn } = parts;
  const directory = storePaths.index(options.directory);
  const there = listIndexFiles(disk, directory);
  const names = new Set(there);
  for (const [name, end] of ledger?.index ?? []) if (end >= logStart) names.add(name);
  let from = -1;
  let lastTimestamp = 0;
  // Expired files of the log that came back in a power cut: the index files for them need not have.
  let broken = (ledger?.logStart ?? 0) > logStart ? '' : undefined;
  for (const name of [...names].sort()) {
    const path = join(directory, name);
    // Files made since the ledger hold what the log's tail has too. One may be missing, so all are made anew.
    const isKnown = ledger === undefined ? beliefs.durableRecord >= 0 : ledger.index.has(name);
    const isNew = !beliefs.clean && !isKnown;
    const file =
      broken === undefined && !isNew
        ? look(parts, beliefs, path, ledger?.index.get(name) ?? -1, logEnd)
        : undefined;
    if (file !== undefined && file.problem === undefined) {
      lastTimestamp = file.timestamp;
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
  // The checkpoint vouches for files up to a time: those that are made again now have the same times, and no sync yet.
  const path = storePaths.checkpoint(options.directory);
  const checkpoint = readCheckpoint(disk, path);
  if (checkpoint.indexTimestamp > lastTimestamp) {
    writeCheckpoint(disk, path, { ...checkpoint, indexTimestamp: lastTimestamp });
  }
  return Math.max(from, 0);
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
  { disk, options }: RecoveryParts,
  beliefs: Beliefs,
  path: string,
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
  const mapping = disk.map(path, bytes, false);
  if (typeof mapping === 'number')
    return { end: -1, timestamp: 0, problem: `cannot be opened (errno ${-mapping})` };
  try {
    return judgeHeader(mapping, geometry.entries, beliefs, ledgerEnd, logEnd, () =>
      beliefs.writeAgain ? writeFileAgain(disk, mapping) : 0,
    );
  } finally {
    mapping.close();
  }
}

function judgeHeader(
  { view }: Mapping,
  entries: number,
  beliefs: Beliefs,
  ledgerEnd: number,
  logEnd: number,
  writeAgain: () => number,
): IndexFile {
  const count = view.getInt32(INDEX_COUNT);
  const end = count > 1 ? readInt64(view, END_PHYSICAL) : -1;
  const timestamp = readInt64(view, END_TIMESTAMP);
  const isSynced = count >= entries && timestamp <= beliefs.indexTrustedUntil;
  if (count > entries || end >= logEnd)
    return { end, timestamp, problem: 'points behind the end of the log' };
  if (isSynced) return { end, timestamp, problem: undefined };
  if (!beliefs.clean && !beliefs.pageCacheSurvived) return { end, timestamp, problem: '' };
  if (end < ledgerEnd) return { end, timestamp, problem: 'lacks entries' };
  const outcome = writeAgain();
  return { end, timestamp, problem: outcome < 0 ? `cannot be written again (errno ${-outcome})` : undefined };
}

/** What the ledger says of the index files that are there now. */
export function indexEnds({ disk, options }: Pick<RecoveryParts, 'disk' | 'options'>): Map<string, number> {
  const directory = storePaths.index(options.directory);
  const header = new Uint8Array(INDEX_HEADER_BYTES);
  const view = new DataView(header.buffer);
  const ends = new Map<string, number>();
  for (const name of listIndexFiles(disk, directory)) {
    const file = disk.open(join(directory, name), -1);
    if (typeof file === 'number') continue;
    const read = file.read(0, header, 0, INDEX_HEADER_BYTES);
    file.close();
    if (read === INDEX_HEADER_BYTES && view.getInt32(INDEX_COUNT) > 1) {
      ends.set(name, readInt64(view, END_PHYSICAL));
    }
  }
  return ends;
}
